import { DomainError } from '@billtrail/domain'

/** Uploads that one process stores at the same time; each holds a connection and a batch. */
export const UPLOADS_AT_ONCE = 8

/** Lets a bounded number of uploads in. Throws `too_many_uploads` before a byte of the file is read. */
export function limitUploads(max = UPLOADS_AT_ONCE): { run<T>(job: () => Promise<T>): Promise<T> } {
  let running = 0
  return {
    async run(job) {
      if (running >= max) {
        throw new DomainError(
          'busy',
          'too_many_uploads',
          `${max} uploads are being stored. Send this one again in a moment.`,
          [],
          5,
        )
      }
      running++
      try {
        return await job()
      } finally {
        running--
      }
    },
  }
}
