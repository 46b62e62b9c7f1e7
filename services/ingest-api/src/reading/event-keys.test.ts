import { eventKeyBytes, isOwnKey } from '@billtrail/domain'
import fc from 'fast-check'
import { hashId } from './hash-id'
import { readUuid } from './read-uuid'

const hex = (key: Uint32Array): string =>
  Array.from(key, (word) => word.toString(16).padStart(8, '0')).join('')

test('every id gets the key that the domain defines, whatever its length', () => {
  const ids = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.uuid(),
    fc.uuid().map((id) => id.toUpperCase()),
  )
  fc.assert(
    fc.property(ids, (id) => {
      const bytes = Buffer.from(`<${id}>`)
      const key = new Uint32Array(4)
      const own = readUuid(bytes, 1, bytes.length - 1, key, 0)
      if (!own) hashId(bytes, 1, bytes.length - 1, key, 0)
      expect(own).toBe(isOwnKey(id))
      expect(hex(key)).toBe(eventKeyBytes(id).toString('hex'))
    }),
    { numRuns: 2000 },
  )
})

test('ids of 46 and 47 bytes, the last of one block and the first of two, agree', () => {
  for (const length of [1, 45, 46, 47, 54, 55, 56]) {
    const id = 'x'.repeat(length)
    const key = new Uint32Array(4)
    hashId(Buffer.from(id), 0, length, key, 0)
    expect(hex(key)).toBe(eventKeyBytes(id).toString('hex'))
  }
})
