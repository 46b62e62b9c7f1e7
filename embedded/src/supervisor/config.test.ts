import { supervisorConfig } from './config'

test.each([
  { setting: 'GATEWAY_PORT', value: 'eighty' },
  { setting: 'INGEST_PORT', value: '70000' },
  { setting: 'BILLING_INTERVAL_SECONDS', value: '0' },
  { setting: 'BILLING_GRACE_HOURS', value: '-1' },
  { setting: 'LOG_LEVEL', value: 'loud' },
  { setting: 'S3_ENDPOINT', value: 'somewhere' },
  { setting: 'BILLABLE_BUCKET', value: 'Not A Bucket' },
])('$setting=$value is refused by name', ({ setting, value }) => {
  expect(() => supervisorConfig({ [setting]: value })).toThrow(`${setting}=${value}: `)
})

test.each([
  { setting: 'BILLTRAIL_ADMIN_KEY', value: 'my-short' },
  { setting: 'DATABASE_URL', value: 'mysql://me:my-password@127.0.0.1/x' },
])('a wrong $setting is refused by name and not repeated', ({ setting, value }) => {
  const start = () => supervisorConfig({ [setting]: value })
  expect(start).toThrow(`${setting}: `)
  expect(start).not.toThrow('my-')
})

test('nothing needs to be set', () => {
  expect(supervisorConfig({})).toMatchObject({
    BILLTRAIL_DATA_DIR: '.data',
    GATEWAY_PORT: 8080,
    INGEST_PORT: 4001,
    BILLING_INTERVAL_SECONDS: 60,
    BILLING_GRACE_HOURS: 24,
  })
})

test('an empty variable counts as not set', () => {
  expect(supervisorConfig({ DATABASE_URL: '', GATEWAY_PORT: '' })).toMatchObject({
    GATEWAY_PORT: 8080,
  })
})
