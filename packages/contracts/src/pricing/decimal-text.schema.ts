import { z } from 'zod'

const SIGNED = /^-?\d{1,18}(?:\.\d{1,12})?$/
const UNSIGNED = /^\d{1,18}(?:\.\d{1,12})?$/
const POSITIVE = /^(?=.*[1-9])\d{1,18}(?:\.\d{1,12})?$/
const AT_MOST_A_HUNDRED = /^0*(?:\d{1,2}(?:\.\d{1,12})?|100(?:\.0{1,12})?)$/

const rule = 'up to 18 digits before the point and 12 after it, no exponent'

/** `abort`, so that checks that compare decimals never see a text that is none. */
function decimalText(pattern: RegExp, error: string) {
  return z.string({ error: 'Send a decimal as text, like "12.5"' }).regex(pattern, {
    abort: true,
    error,
  })
}

/** A plain decimal as text; JSON numbers are refused, because they may already have lost a digit. */
export const DecimalText = decimalText(SIGNED, `Write a plain decimal: ${rule}`).meta({
  description: `Decimal text: ${rule}.`,
  examples: ['12.5'],
})

export const NonNegativeDecimalText = decimalText(
  UNSIGNED,
  `Write a plain decimal that is not negative: ${rule}`,
).meta({ description: `Decimal text, not negative: ${rule}.`, examples: ['12.5'] })

export const PositiveDecimalText = decimalText(
  POSITIVE,
  `Write a plain decimal above 0: ${rule}`,
).meta({ description: `Decimal text above 0: ${rule}.`, examples: ['100'] })

export const PercentText = decimalText(
  AT_MOST_A_HUNDRED,
  'Write a percentage from 0 to 100, as a plain decimal',
).meta({ description: 'Percent, 0 to 100.', examples: ['10'] })
