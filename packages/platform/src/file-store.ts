import { createHash } from 'node:crypto'
import { DomainError } from '@billtrail/domain'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'

export interface FileStoreOptions {
  /** A server that speaks S3; absent: Amazon's own. */
  readonly endpoint?: string | undefined
  readonly region: string
  readonly bucket: string
}

/** The bucket that billable files go to. */
export interface FileStore {
  readonly bucket: string
  put(key: string, bytes: Buffer, contentType: string): Promise<void>
  /** undefined: there is no such object, or no such bucket. */
  get(key: string): Promise<Buffer | undefined>
  /** The sha256 (hex) of what `put` stored; undefined: missing, or somebody else's bytes lie there. */
  digest(key: string): Promise<string | undefined>
  /** Makes the bucket where it is missing. */
  ensureBucket(): Promise<void>
  /** Rejects when the bucket cannot be reached. */
  check(): Promise<void>
  close(): void
}

const MISSING = new Set(['NoSuchBucket', 'NoSuchKey', 'NotFound'])
const OURS_ALREADY = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'])
const isOneOf = (names: ReadonlySet<string>, error: unknown): boolean =>
  error instanceof S3ServiceException && names.has(error.name)

/** Whether an object or its bucket is missing, which a writer can mend. */
export const isMissing = (error: unknown): boolean => isOneOf(MISSING, error)

export const storageUnavailable = (error: unknown): DomainError =>
  new DomainError(
    'unavailable',
    'storage_unavailable',
    `The file storage does not answer (${error instanceof Error ? error.name : 'unknown'}). Try again in a moment.`,
    [],
    5,
  )

/** Files in S3, by the AWS client's own credentials. Not in the index: who loads the client pays 4 MB of memory for it. */
export function createFileStore(options: FileStoreOptions): FileStore {
  const { bucket } = options
  const client = new S3Client({
    region: options.region,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    // The embedded server refuses the SDK's trailing checksums; ours is the sha256 in the database.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 20_000 },
  })
  return {
    bucket,
    async put(key, bytes, contentType) {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: bytes,
          ContentType: contentType,
          Metadata: { sha256: createHash('sha256').update(bytes).digest('hex') },
        }),
      )
    },
    async digest(key) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
        return head.Metadata?.['sha256']
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    async get(key) {
      try {
        const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
        return Buffer.from((await object.Body?.transformToByteArray()) ?? [])
      } catch (error) {
        if (isMissing(error)) return undefined
        throw storageUnavailable(error)
      }
    },
    async ensureBucket() {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }))
      } catch (error) {
        if (!isMissing(error)) throw error
        try {
          await client.send(new CreateBucketCommand({ Bucket: bucket }))
        } catch (failure) {
          if (!isOneOf(OURS_ALREADY, failure)) throw failure
        }
      }
    },
    async check() {
      await client.send(new HeadBucketCommand({ Bucket: bucket }))
    },
    close: () => client.destroy(),
  }
}
