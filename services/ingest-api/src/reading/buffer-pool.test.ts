import { createBufferPool } from './buffer-pool'

const MIB = 1024 * 1024

test('a buffer that was put back, or a part of it, is used again for as many bytes', () => {
  const pool = createBufferPool()
  const first = pool.take(20_000)
  expect(first.length).toBeGreaterThanOrEqual(20_000)
  expect(pool.take(20_000).buffer).not.toBe(first.buffer)
  pool.putBack(first.subarray(0, 100))
  expect(pool.take(100_000).buffer).not.toBe(first.buffer)
  expect(pool.take(20_001).buffer).toBe(first.buffer)
  expect(pool.take(20_000).buffer).not.toBe(first.buffer)
})

test('what is kept is bounded, in all and each', () => {
  const pool = createBufferPool()
  const large = pool.take(3 * MIB)
  pool.putBack(large)
  expect(pool.take(3 * MIB).buffer).not.toBe(large.buffer)
  const many = Array.from({ length: 20 }, () => pool.take(MIB))
  many.forEach(pool.putBack)
  const again = Array.from({ length: 20 }, () => pool.take(MIB).buffer)
  expect(many.filter(({ buffer }) => again.includes(buffer))).toHaveLength(16)
})
