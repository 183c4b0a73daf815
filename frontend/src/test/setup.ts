import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// Patience for a machine that is busy with other things; nothing waits longer than it must.
configure({ asyncUtilTimeout: 8000 })

afterEach(cleanup)
