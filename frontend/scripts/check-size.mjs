// Fails the build when the JavaScript of the first page, entry plus overview, outgrows its budget.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 230
const FIRST_PAGE = ['index.html', 'src/features/overview/overview-page.tsx']

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'))
const files = new Set()

function collect(key) {
  const chunk = manifest[key]
  if (!chunk || files.has(chunk.file)) return
  files.add(chunk.file)
  for (const imported of chunk.imports ?? []) collect(imported)
}

for (const key of FIRST_PAGE) {
  if (!manifest[key]) throw new Error(`the build has no ${key}`)
  collect(key)
}
const kilobytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`)).length, 0) / 1024
console.log(
  `first page: ${kilobytes.toFixed(1)} KB of JavaScript in ${files.size} files, gzipped; budget ${BUDGET_KB} KB`,
)
if (kilobytes > BUDGET_KB) process.exit(1)
