import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const gateway = `http://127.0.0.1:${process.env.DWELL_GATEWAY_PORT ?? '8000'}`

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', manifest: true },
  server: { proxy: { '/api': gateway } },
  test: {
    // A browser elsewhere must not change what the tests see.
    env: { TZ: 'America/New_York' },
    restoreMocks: true,
    unstubGlobals: true,
    testTimeout: 20_000,
    projects: [
      { extends: true, test: { name: 'logic', include: ['src/**/*.test.ts'], environment: 'node' } },
      {
        extends: true,
        test: {
          name: 'pages',
          include: ['src/**/*.test.tsx'],
          environment: 'jsdom',
          setupFiles: ['src/test/setup.ts'],
        },
      },
    ],
  },
})
