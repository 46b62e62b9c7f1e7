/** Longer than this nobody waits for uploads to end. */
const PUT_OFF_MAX_MS = 10_000

/** Says when the counting of usage may begin. */
export interface CountingTurn {
  /** An upload has begun; to be called once when it is over. */
  readonly uploadBegins: () => () => void
  /** Whether to begin now. Where the answer is no, it is to be asked again in a while. */
  readonly mayBegin: () => boolean
}

/**
 * Counting a large upload takes a processor for seconds, which an upload that is being stored meanwhile lacks, while usage is
 * read from the events themselves until it is counted. So it waits until no upload of this process is being stored, up to 10 s.
 */
export function createCountingTurn(now: () => number = () => performance.now()): CountingTurn {
  let uploads = 0
  let waitsSince: number | undefined
  return {
    uploadBegins() {
      uploads++
      return () => uploads--
    },
    mayBegin() {
      waitsSince ??= now()
      if (uploads > 0 && now() - waitsSince < PUT_OFF_MAX_MS) return false
      waitsSince = undefined
      return true
    },
  }
}
