import { decimal } from '@billtrail/domain'
import { z } from 'zod'
import { NonNegativeDecimalText, PercentText, PositiveDecimalText } from './decimal-text.schema'
import { PropertyName } from './property-name.schema'
import { RateTiers, Tiers } from './tiers.schema'

const limitModifiers = {
  discount_percent: PercentText.optional(),
  minimum: NonNegativeDecimalText.optional().meta({ description: 'Spend floor of a period.' }),
  maximum: NonNegativeDecimalText.optional().meta({ description: 'Spend cap of a period.' }),
}

const quantityModifiers = {
  ...limitModifiers,
  free_units: NonNegativeDecimalText.optional().meta({
    description: 'Units, or value of a percentage, that cost nothing.',
  }),
}

const eventModifiers = {
  ...quantityModifiers,
  dedupe_by: z.array(PropertyName).min(1).max(16).optional().meta({
    description: 'The first event of each combination is charged; the others are savings.',
  }),
  cap: z.strictObject({ per: PropertyName, amount: NonNegativeDecimalText }).optional(),
}

interface Limits {
  readonly minimum?: string | undefined
  readonly maximum?: string | undefined
}

/** A floor above the ceiling can't be kept. */
function checkLimits({ minimum, maximum }: Limits, context: z.RefinementCtx): void {
  if (minimum === undefined || maximum === undefined || decimal(minimum).lte(decimal(maximum)))
    return
  context.addIssue({
    code: 'custom',
    path: ['minimum'],
    message: 'The minimum is above the maximum',
  })
}

export const PerUnitPrice = z
  .strictObject({
    model: z.literal('per_unit'),
    unit_price: NonNegativeDecimalText,
    ...eventModifiers,
  })
  .superRefine(checkLimits)
  .meta({
    id: 'PerUnitPrice',
    example: { model: 'per_unit', unit_price: '0.0025', free_units: '1000' },
  })

export const VolumePrice = z
  .strictObject({ model: z.literal('volume'), tiers: Tiers, ...quantityModifiers })
  .superRefine(checkLimits)
  .meta({
    id: 'VolumePrice',
    example: {
      model: 'volume',
      tiers: [
        { up_to: '10', unit_price: '5.00' },
        { up_to: '20', unit_price: '4.00' },
        { up_to: null, unit_price: '3.00' },
      ],
    },
  })

export const GraduatedPrice = z
  .strictObject({ model: z.literal('graduated'), tiers: Tiers, ...quantityModifiers })
  .superRefine(checkLimits)
  .meta({
    id: 'GraduatedPrice',
    example: {
      model: 'graduated',
      tiers: [
        { up_to: '1000', unit_price: '0.10', flat_fee: '5.00' },
        { up_to: null, unit_price: '0.05' },
      ],
      minimum: '20.00',
    },
  })

export const PackagePrice = z
  .strictObject({
    model: z.literal('package'),
    package_size: PositiveDecimalText,
    package_price: NonNegativeDecimalText,
    round: z.enum(['up', 'down']).optional().meta({
      description: 'A begun package is charged (up, the default) or not (down).',
    }),
    ...quantityModifiers,
  })
  .superRefine(checkLimits)
  .meta({
    id: 'PackagePrice',
    example: { model: 'package', package_size: '100', package_price: '5.00' },
  })

export const PercentagePrice = z
  .strictObject({
    model: z.literal('percentage'),
    rate: NonNegativeDecimalText,
    fixed_fee: NonNegativeDecimalText.optional(),
    min_per_event: NonNegativeDecimalText.optional(),
    max_per_event: NonNegativeDecimalText.optional(),
    ...eventModifiers,
  })
  .superRefine(checkLimits)
  .superRefine((price, context) => {
    const { min_per_event: low, max_per_event: high } = price
    if (low === undefined || high === undefined || decimal(low).lte(decimal(high))) return
    const message = 'The minimum of an event is above its maximum'
    context.addIssue({ code: 'custom', path: ['min_per_event'], message })
  })
  .meta({
    id: 'PercentagePrice',
    example: { model: 'percentage', rate: '2.9', fixed_fee: '0.30', max_per_event: '25.00' },
  })

export const GraduatedPercentagePrice = z
  .strictObject({
    model: z.literal('graduated_percentage'),
    tiers: RateTiers,
    ...quantityModifiers,
  })
  .superRefine(checkLimits)
  .meta({
    id: 'GraduatedPercentagePrice',
    example: {
      model: 'graduated_percentage',
      tiers: [
        { up_to: '10000', rate: '2.9' },
        { up_to: null, rate: '2.5', flat_fee: '10.00' },
      ],
    },
  })

export const DynamicPrice = z
  .strictObject({ model: z.literal('dynamic'), ...eventModifiers })
  .superRefine(checkLimits)
  .meta({
    id: 'DynamicPrice',
    example: {
      model: 'dynamic',
      dedupe_by: ['lead_user', 'product_id'],
      cap: { per: 'lead_user', amount: '100.00' },
    },
  })

export const FlatPrice = z
  .strictObject({ model: z.literal('flat'), amount: NonNegativeDecimalText, ...limitModifiers })
  .superRefine(checkLimits)
  .meta({ id: 'FlatPrice', example: { model: 'flat', amount: '49.00' } })

/** Any price but a matrix: what stands in a cell of one. */
export const CellPrice = z
  .discriminatedUnion('model', [
    PerUnitPrice,
    VolumePrice,
    GraduatedPrice,
    PackagePrice,
    PercentagePrice,
    GraduatedPercentagePrice,
    DynamicPrice,
    FlatPrice,
  ])
  .meta({ id: 'CellPrice' })

const MatrixCell = z.strictObject({
  match: z.record(z.string(), z.string()).meta({ description: 'A value for every dimension.' }),
  price: CellPrice,
})

interface Matrix {
  readonly dimensions: readonly string[]
  readonly cells: readonly { readonly match: Readonly<Record<string, string>> }[]
}

/** Every cell names every dimension and no other, and no two cells the same values. */
function checkCells({ dimensions, cells }: Matrix, context: z.RefinementCtx): void {
  const fault = (path: readonly (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message })
  if (new Set(dimensions).size < dimensions.length)
    fault(['dimensions'], 'A dimension is named twice')
  const seen = new Set<string>()
  cells.forEach(({ match }, at) => {
    for (const name of dimensions.filter((dimension) => match[dimension] === undefined)) {
      fault(['cells', at, 'match', name], `The cell says no value for the dimension ${name}`)
    }
    for (const name of Object.keys(match).filter((one) => !dimensions.includes(one))) {
      fault(['cells', at, 'match', name], `${name} is not a dimension of this matrix`)
    }
    const key = JSON.stringify(dimensions.map((name) => match[name]))
    if (seen.has(key)) fault(['cells', at, 'match'], 'An earlier cell has the same values')
    seen.add(key)
  })
}

export const MatrixPrice = z
  .strictObject({
    model: z.literal('matrix'),
    dimensions: z.array(PropertyName).min(1).max(8),
    cells: z.array(MatrixCell).min(1).max(1000),
    default: CellPrice.optional().meta({
      description: 'Prices what no cell names. Without it such usage is listed at no cost.',
    }),
    ...limitModifiers,
  })
  .superRefine(checkLimits)
  .superRefine(checkCells)
  .meta({
    id: 'MatrixPrice',
    example: {
      model: 'matrix',
      dimensions: ['region'],
      cells: [{ match: { region: 'eu' }, price: { model: 'per_unit', unit_price: '0.12' } }],
      default: { model: 'per_unit', unit_price: '0.10' },
    },
  })

/** Every price; `model` says which. Modifiers are fields of the price itself. */
export const Price = z
  .discriminatedUnion('model', [...CellPrice.options, MatrixPrice])
  .meta({ id: 'Price' })

export type CellPriceJson = z.output<typeof CellPrice>
export type PriceJson = z.output<typeof Price>
