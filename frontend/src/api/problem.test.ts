import { describe, expect, it } from 'vitest'
import { problemFrom } from './problem'

describe('problemFrom', () => {
  it.each([
    [422, { title: 'Unprocessable', detail: 'camera_id is missing' }, 'camera_id is missing'],
    [409, { title: 'Conflict', detail: null }, 'Conflict'],
    [502, '<html>bad gateway</html>', 'The server is starting or cannot be reached.'],
    [422, { detail: [{ msg: 'field required' }] }, 'The server answered 422.'],
    [0, null, 'The server cannot be reached.'],
  ])('reads %s %o', (status, body, message) => {
    expect(problemFrom(status, body)).toMatchObject({ status, message })
  })

  it('keeps the request id, which is what one gives to whoever runs the server', () => {
    expect(problemFrom(500, { title: 'Error', request_id: 'r-1' }).requestId).toBe('r-1')
  })
})
