import fc from 'fast-check'
import type { CatalogueJson } from './catalogue-file.schema'
import { parseCatalogue, printCatalogue } from './catalogue-text'

const code = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,12}$/)
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
const amount = fc
  .tuple(fc.nat(1_000_000), fc.nat(9_999))
  .map(([whole, part]) => `${whole}.${String(part).padStart(4, '0')}`)
const optional = <T extends object>(fields: fc.Arbitrary<T>) =>
  fc.oneof(fields, fc.constant<Partial<T>>({}))

const price = fc.oneof(
  amount.map((unit_price) => ({ model: 'per_unit' as const, unit_price })),
  amount.map((value) => ({ model: 'flat' as const, amount: value })),
  fc.tuple(amount, amount).map(([first, rest]) => ({
    model: 'graduated' as const,
    tiers: [
      { up_to: '10', unit_price: first },
      { up_to: null, unit_price: rest },
    ],
  })),
)
const charge = fc
  .tuple(code, price, optional(fc.record({ name: text })), optional(fc.record({ meter: code })))
  .map(([id, one, name, meter]) => ({ id, ...name, ...meter, price: one }))
const version = fc
  .tuple(
    fc.constantFrom('draft' as const, 'active' as const, 'retired' as const),
    fc.array(charge, { minLength: 1, maxLength: 3 }),
  )
  .map(([state, charges]) => ({ version: 1, state, charges }))
const meter = fc
  .tuple(
    code,
    optional(fc.record({ event_type: text })),
    optional(
      fc.record({
        filters: fc.array(fc.record({ property: text, equals: text }), { maxLength: 2 }),
      }),
    ),
  )
  .map(([name, type, filters]) => ({
    code: name,
    ...type,
    aggregation: 'sum' as const,
    ...filters,
  }))
const plan = fc
  .tuple(code, text, fc.array(version, { maxLength: 1 }))
  .map(([one, name, versions]) => ({ code: one, name, currency: 'USD', versions }))
const catalogue: fc.Arbitrary<CatalogueJson> = fc
  .tuple(
    fc.uniqueArray(meter, { selector: (one) => one.code, maxLength: 3 }),
    fc.uniqueArray(plan, { selector: (one) => one.code, maxLength: 3 }),
  )
  .map(([meters, plans]) => ({ meters, plans }))

test('a catalogue that is printed and read again is the same, as YAML and as JSON', () => {
  fc.assert(
    fc.property(catalogue, (before) => {
      const read = parseCatalogue(printCatalogue(before))
      expect(read).toEqual(before)
      expect(printCatalogue(read)).toBe(printCatalogue(before))
      expect(parseCatalogue(JSON.stringify(before))).toEqual(before)
    }),
  )
})
