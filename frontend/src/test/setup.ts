import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// Patience for a machine that is busy with other things; nothing waits longer than it must.
configure({ asyncUtilTimeout: 8000 })

// The browser's own modal is what this environment lacks.
HTMLDialogElement.prototype.showModal = function showModal() {
  this.open = true
}
HTMLDialogElement.prototype.close = function close() {
  this.open = false
}

afterEach(cleanup)
