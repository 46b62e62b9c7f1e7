/**
 * Runs jobs, so many at once at most; the others wait for their turn in the order in which they came. What a job throws is thrown
 * for all who wait where `isForAll` says so: they would only find the same, one turn after the other.
 */
export function limitAtOnce(
  max: number,
  isForAll: (error: unknown) => boolean = () => false,
): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: { start: () => void; fail: (error: unknown) => void }[] = []
  let running = 0
  return async (job) => {
    if (running >= max) {
      await new Promise<void>((start, fail) => waiting.push({ start, fail }))
    } else running += 1
    try {
      return await job()
    } catch (error) {
      if (isForAll(error)) for (const { fail } of waiting.splice(0)) fail(error)
      throw error
    } finally {
      // A turn is handed on, so that nobody who comes in between takes it.
      const next = waiting.shift()
      if (next) next.start()
      else running -= 1
    }
  }
}
