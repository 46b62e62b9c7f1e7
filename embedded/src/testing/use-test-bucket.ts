import { randomBytes } from 'node:crypto'
import { createFileStore, type FileStore } from '@billtrail/platform/file-store'
import { S3_CREDENTIALS } from '../s3/s3-credentials'

export interface TestBucket {
  readonly bucket: string
  /** What a service is configured with to use it. */
  settings(): { S3_ENDPOINT: string; S3_REGION: string; BILLABLE_BUCKET: string }
  /** The bucket as the platform's own file store. */
  files(): FileStore
}

const REGION = 'us-east-1'

/** Gives a test file an empty bucket of its own, on a real S3 protocol. Credentials are set for the AWS client. */
export function useTestBucket(): TestBucket {
  const bucket = `test-${randomBytes(6).toString('hex')}`
  let store: FileStore | undefined

  beforeAll(async () => {
    const endpoint = process.env['BILLTRAIL_TEST_S3_ENDPOINT']
    if (endpoint === undefined) {
      throw new Error(
        'There is no S3 server: name this file x.db.test.ts, so that the project "db" runs it.',
      )
    }
    // Said by every test file otherwise: the client will want a newer Node next year.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true'
    process.env['AWS_ACCESS_KEY_ID'] = S3_CREDENTIALS.accessKeyId
    process.env['AWS_SECRET_ACCESS_KEY'] = S3_CREDENTIALS.secretAccessKey
    store = createFileStore({ endpoint, region: REGION, bucket })
    await store.ensureBucket()
  })
  afterAll(() => {
    store?.close()
  })

  return {
    bucket,
    settings: () => ({
      S3_ENDPOINT: process.env['BILLTRAIL_TEST_S3_ENDPOINT'] ?? '',
      S3_REGION: REGION,
      BILLABLE_BUCKET: bucket,
    }),
    files() {
      if (store === undefined) throw new Error('The bucket is there from beforeAll on, not before.')
      return store
    },
  }
}
