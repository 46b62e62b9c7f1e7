import fc from 'fast-check'
import { sortNames } from './sort-names'

/** Indexes in the order of their names, as PostgreSQL has them with collate "C". */
function sorted(names: readonly string[]): number[] {
  const starts = new Uint32Array(names.length + 1)
  names.forEach((name, at) => (starts[at + 1] = starts[at]! + Buffer.byteLength(name)))
  return [...sortNames({ bytes: Buffer.from(names.join('')), starts }, 0, names.length)]
}

const byBytes = (names: readonly string[]): number[] =>
  names
    .map((_name, at) => at)
    .sort((a, b) => Buffer.compare(Buffer.from(names[a]!), Buffer.from(names[b]!)))

test.each([
  ['none', []],
  ['one', ['a']],
  ['one that another begins with', ['customer-10', 'customer-1', 'customer-', 'customer-100']],
  ['letters of several bytes', ['é', 'z', '\u{1f600}', '\uffee', 'e']],
])('names are sorted by their bytes: %s', (_, names) => {
  expect(sorted(names)).toEqual(byBytes(names))
})

test('many names that begin alike are sorted by what follows, whatever stands among them', () => {
  const numbers = Array.from({ length: 5_000 }, (_number, at) => (at * 7_919) % 5_000)
  const names = numbers.map((number) => `https://example.org/customers/of/the/year/${number}`)
  names.push('x', 'https://example.org/customers', 'a'.repeat(255), `${'a'.repeat(254)}b`)
  expect(sorted(names)).toEqual(byBytes(names))
})

test('any names are sorted by their bytes', () => {
  const letter = fc.constantFrom('a', 'b', '\u0001', 'é')
  const name = fc.string({ unit: letter, minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 400 }), (names) => {
      expect(sorted(names)).toEqual(byBytes(names))
    }),
  )
})
