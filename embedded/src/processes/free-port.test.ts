import { once } from 'node:events'
import { createServer } from 'node:net'
import { freePort, isPortFree } from './free-port'

test('a preferred port that somebody has is left to them', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  expect(await isPortFree(port)).toBe(false)
  expect(await freePort(port)).not.toBe(port)
  other.close()
})

test('an address that is not this machine’s has no free port', async () => {
  // 192.0.2.0/24 is kept for examples: no machine has it.
  await expect(isPortFree(0, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  await expect(freePort(0, '192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
})
