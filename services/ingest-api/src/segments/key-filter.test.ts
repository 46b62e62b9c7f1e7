import fc from 'fast-check'
import {
  addKey,
  createKeyFilter,
  foldKeyFilter,
  hashKey,
  type KeyHash,
  mayHold,
} from './key-filter'

function hashOf(customer: number, words: readonly number[]): KeyHash {
  const hash = { place: 0, bits: 0 }
  hashKey(customer, Uint32Array.from(words), 0, hash)
  return hash
}

const word = fc.integer({ min: 0, max: 0xffffffff })
const key = fc
  .tuple(fc.integer({ min: 1, max: 0x7fffffff }), fc.tuple(word, word, word, word))
  .map(([customer, words]) => hashOf(customer, words))

test('a filter never denies a key that was added, also after it has been folded', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), fc.nat(5_000), (keys, room) => {
      const filter = createKeyFilter(room, 10)
      for (const one of keys) addKey(filter, one)
      const folded = foldKeyFilter(filter, keys.length, 10)
      for (const one of keys)
        expect([mayHold(filter, one), mayHold(folded, one)]).toEqual([true, true])
    }),
  )
})

/** Ids that count up, as many systems make them: the worst that a filter can be given. */
const counted = (number: number, customer = 1): KeyHash => hashOf(customer, [0, 0, 0, number])

test('of ids that count up a filter denies nearly all that were not added', () => {
  const filter = createKeyFilter(100_000, 14)
  for (let id = 0; id < 100_000; id++) addKey(filter, counted(id))
  const maybe = Array.from({ length: 100_000 }, (_, at) => mayHold(filter, counted(100_000 + at)))
  expect(maybe.filter(Boolean).length).toBeLessThan(1_000)
  const ofAnother = Array.from({ length: 100_000 }, (_, at) => mayHold(filter, counted(at, 2)))
  expect(ofAnother.filter(Boolean).length).toBeLessThan(1_000)
})

test('a filter for few keys is folded to little more than they need', () => {
  const filter = createKeyFilter(1_000_000, 10)
  for (let id = 0; id < 1_000; id++) addKey(filter, counted(id))
  const folded = foldKeyFilter(filter, 1_000, 10)
  expect(32 * folded.words.length).toBeLessThan(2 * 1_000 * 14)
  expect(32 * folded.words.length).toBeGreaterThanOrEqual(1_000 * 10)
})
