import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { spawnFromSource } from '../testing/spawn-from-source'

const GATEWAY = path.join(__dirname, '..', '..', '..', 'services', 'gateway', 'src', 'main.ts')

let service: ChildProcess

beforeEach(() => {
  const env = { PATH: process.env['PATH'], GATEWAY_PORT: '0', BILLTRAIL_SUPERVISED: '1' }
  service = spawnFromSource(GATEWAY, { env })
})
afterEach(() => {
  service.kill('SIGKILL')
})

/** As a kill -9 of the supervisor does: nobody reads the log any more, and the channel closes. */
function leave(): void {
  service.stdout!.destroy()
  service.stderr!.destroy()
  service.disconnect()
}

test('a service whose supervisor was killed ends, although nobody reads its log any more', async () => {
  for await (const chunk of service.stdout!) if (String(chunk).includes('listening')) break
  const ended = once(service, 'exit')
  leave()
  expect(await ended).toEqual([0, null])
})

test('a service whose supervisor was killed while it started does not stay', async () => {
  const ended = once(service, 'exit')
  leave()
  expect(await ended).toEqual([0, null])
})
