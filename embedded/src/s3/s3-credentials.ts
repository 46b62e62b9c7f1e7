/** The credentials that the embedded S3 server knows; it listens on 127.0.0.1 only. */
export const S3_CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const
