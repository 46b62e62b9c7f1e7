import { reasonIn } from './prepare-cluster'

test.each([
  {
    said: [
      '2026-11-21 12:34:49.874 UTC [97] FATAL:  could not write to file "pg_wal/x": No space left on device',
      'child process exited with exit code 1',
      'initdb: removing data directory "/data/postgres/cluster.new"',
    ],
    reason: 'could not write to file "pg_wal/x": No space left on device',
  },
  {
    said: ['initdb: error: could not access directory "/data": Permission denied'],
    reason: 'could not access directory "/data": Permission denied',
  },
  {
    said: ['unshare: unshare failed: Operation not permitted'],
    reason: 'unshare: unshare failed: Operation not permitted',
  },
  { said: [], reason: '' },
])('a cluster that cannot be made says why: $reason', ({ said, reason }) => {
  expect(reasonIn(said.map((line) => `${line}\n`).join(''))).toBe(reason)
})
