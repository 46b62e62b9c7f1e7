import { decimal } from '@billtrail/domain'
import { z } from 'zod'
import { NonNegativeDecimalText, PositiveDecimalText } from './decimal-text.schema'

const bound = {
  up_to: PositiveDecimalText.nullable().meta({
    description:
      'The last quantity of the tier, itself included; null: open. A tier begins where the one before ended.',
  }),
  flat_fee: NonNegativeDecimalText.optional().meta({
    description: 'Once, when the tier is entered; the first tier is entered at quantity 0.',
  }),
}

/** Bounds rise, and the last tier and only the last is open: so every quantity has its tier. */
function checkBounds(
  tiers: readonly { readonly up_to: string | null }[],
  context: z.RefinementCtx,
): void {
  const fault = (at: number, message: string) =>
    context.addIssue({ code: 'custom', path: [at, 'up_to'], message })
  tiers.forEach(({ up_to: upTo }, at) => {
    const last = at === tiers.length - 1
    const before = tiers[at - 1]?.up_to ?? null
    if (last && upTo !== null) {
      fault(at, 'The last tier must be open: write null, or what is used beyond it has no price')
    }
    if (!last && upTo === null) fault(at, 'Only the last tier may be open')
    if (upTo !== null && before !== null && decimal(upTo).lte(decimal(before))) {
      fault(at, `Bounds must rise: ${upTo} is not above ${before}`)
    }
  })
}

export const Tiers = z
  .array(z.strictObject({ ...bound, unit_price: NonNegativeDecimalText }))
  .min(1, 'A price with tiers needs at least one')
  .max(1000)
  .superRefine(checkBounds)

export const RateTiers = z
  .array(
    z.strictObject({ ...bound, rate: NonNegativeDecimalText.meta({ description: 'Percent.' }) }),
  )
  .min(1, 'A price with tiers needs at least one')
  .max(1000)
  .superRefine(checkBounds)
