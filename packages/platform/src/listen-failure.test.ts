import { once } from 'node:events'
import { createServer } from 'node:net'
import { listenFailure } from './listen-failure'

const SETTINGS = ['INGEST_PORT', 'USAGE_PORT', 'BILLING_PORT', 'INVOICE_PORT', 'GATEWAY_PORT']
const failed = (code: string) => Object.assign(new Error('listen'), { code })

/** The error with which the system refuses to listen. */
const refusalOf = (port: number, host: string): Promise<unknown> =>
  once(createServer().listen(port, host), 'listening').then(
    () => Promise.reject(new Error(`it listens on ${host}:${port}`)),
    (error: unknown) => error,
  )

test.each(SETTINGS)(
  '%s=80 without the right to it says so, and which setting to change',
  (name) => {
    const wish = { setting: name, port: 80, host: '127.0.0.1' }
    expect(listenFailure(wish, failed('EACCES')).message).toBe(
      `${name}=80: this user may not listen on port 80; set ${name} to another one, 1024 or above.`,
    )
  },
)

test('a port in use is told by the setting that names it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const error = await refusalOf(port, '127.0.0.1')
  other.close()
  expect(listenFailure({ setting: 'USAGE_PORT', port, host: '127.0.0.1' }, error).message).toBe(
    `USAGE_PORT=${port}: the port is in use; set another one.`,
  )
})

test('an address that is not this machine’s is told as the host', async () => {
  // 192.0.2.0/24 is kept for examples: no machine has it.
  const error = await refusalOf(0, '192.0.2.1')
  expect(
    listenFailure({ setting: 'GATEWAY_PORT', port: 0, host: '192.0.2.1' }, error).message,
  ).toBe('HOST=192.0.2.1: GATEWAY_PORT cannot listen on this address (EADDRNOTAVAIL).')
})
