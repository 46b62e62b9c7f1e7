import { startFailure } from './start-failure'

const failed = (code: string, path?: string) =>
  Object.assign(new Error(`${code}: write`), { code, ...(path === undefined ? {} : { path }) })

test.each([
  {
    error: failed('EROFS', '/data/logs'),
    said: 'BILLTRAIL_DATA_DIR: /data/logs cannot be used (EROFS, its file system is read-only).',
  },
  {
    error: failed('ENOSPC', '/data/s3'),
    said: 'BILLTRAIL_DATA_DIR: /data/s3 cannot be used (ENOSPC, its disk is full).',
  },
  {
    error: failed('ENOSPC'),
    said: 'BILLTRAIL_DATA_DIR: the folder cannot be used (ENOSPC, its disk is full).',
  },
  { error: new Error('PostgreSQL did not start.'), said: 'PostgreSQL did not start.' },
])('a start that fails says in one sentence: $said', ({ error, said }) => {
  expect(startFailure(error)).toBe(said)
})
