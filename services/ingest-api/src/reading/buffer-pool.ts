const BYTES_MIN = 16 * 1024
const BYTES_MAX = 2 * 1024 * 1024
const BYTES_KEPT_MAX = 16 * 1024 * 1024

/**
 * Buffers that are used again. Those of a request every few milliseconds would each be zeroed by the kernel, and make V8 look
 * through its whole heap for others to free, several times a second.
 */
export interface BufferPool {
  /** A buffer of `bytes` at least, that begins where its memory does. It holds what it held before. */
  readonly take: (bytes: number) => Buffer
  /** Takes back a buffer, of which a part will do to name it, that nobody will read or write again. */
  readonly putBack: (part: Buffer) => void
}

/** An empty pool; it keeps 16 MiB at most, in buffers of up to 2 MiB. */
export function createBufferPool(): BufferPool {
  const kept = new Map<number, Buffer[]>()
  let bytesKept = 0
  return {
    take(bytes) {
      const size = BYTES_MIN * 2 ** Math.max(0, Math.ceil(Math.log2(bytes / BYTES_MIN)))
      const found = kept.get(size)?.pop()
      if (found === undefined) return Buffer.allocUnsafeSlow(size)
      bytesKept -= size
      return found
    },
    putBack(part) {
      const buffer = Buffer.from(part.buffer)
      const size = buffer.length
      if (size > BYTES_MAX || bytesKept + size > BYTES_KEPT_MAX) return
      bytesKept += size
      const same = kept.get(size)
      if (same === undefined) kept.set(size, [buffer])
      else same.push(buffer)
    },
  }
}
