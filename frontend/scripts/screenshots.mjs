// Pictures of every page, wide and narrow, light and dark, of a running dashboard: npm run screenshots -- http://127.0.0.1:8000 out/
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [address = 'http://127.0.0.1:8000', folder = 'test-results/screenshots'] = process.argv.slice(2)
const EMAIL = process.env.DWELL_ADMIN_EMAIL ?? 'admin@example.com'
const PASSWORD = process.env.DWELL_ADMIN_PASSWORD ?? 'dwell-demo'
const PAGES = ['overview?compare=previous', 'alerts', 'insights', 'sessions', 'sources', 'uploads', 'quarantine']
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const browser = await chromium.launch({
  executablePath: process.env.DWELL_CHROMIUM ?? '/usr/bin/chromium',
  args: FLAGS,
})
mkdirSync(folder, { recursive: true })
const faults = []

for (const [width, height] of [
  [1280, 900],
  [375, 812],
]) {
  for (const colorScheme of ['light', 'dark']) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme })
    const page = await context.newPage()
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) faults.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`))
    const shoot = (name) => page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })

    await page.goto(`${address}/login`)
    await shoot('login')
    await page.getByLabel('Email').fill(EMAIL)
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL('**/overview**')
    for (const path of PAGES) {
      await page.goto(`${address}/${path}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForFunction(() => !document.querySelector('.skeleton'))
      await page.waitForTimeout(300)
      await shoot(path.split('?')[0])
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      if (wide) faults.push(`${path} scrolls sideways at ${width} px`)
    }
    await context.close()
  }
}
await browser.close()
for (const fault of faults) console.error(fault)
process.exitCode = faults.length > 0 ? 1 : 0
