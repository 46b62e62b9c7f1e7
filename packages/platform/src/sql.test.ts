import { databaseUnavailable, isDatabaseUnavailable } from './sql'

const failed = (code: string) => Object.assign(new Error('x'), { code })

test.each([
  { what: 'a refused connection', code: 'ECONNREFUSED', told: 'database_unavailable' },
  { what: 'a server that is shutting down', code: '57P01', told: 'database_unavailable' },
  { what: 'too many connections', code: '53300', told: 'database_unavailable' },
  { what: 'a full disk', code: '53100', told: 'disk_full' },
])('$what is told as $told', ({ code, told }) => {
  expect(isDatabaseUnavailable(failed(code))).toBe(true)
  expect(databaseUnavailable(failed(code))).toMatchObject({ kind: 'unavailable', code: told })
})

test.each(['23505', '42P01', '55P03'])('%s is no absence of the database', (code) => {
  expect(isDatabaseUnavailable(failed(code))).toBe(false)
})
