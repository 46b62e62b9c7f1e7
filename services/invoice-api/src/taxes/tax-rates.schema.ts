import { NonNegativeDecimalText } from '@billtrail/contracts'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

const fields = {
  name: z
    .string()
    .min(1)
    .max(255)
    .meta({ examples: ['VAT'] }),
  percent: NonNegativeDecimalText.meta({ examples: ['19'] }),
  inclusive: z.boolean().meta({ description: 'Prices hold it already; else it is added.' }),
  default: z.boolean().meta({ description: 'For customers without rates of their own.' }),
}

export const NewTaxRateBody = z
  .strictObject({
    ...fields,
    inclusive: fields.inclusive.default(false),
    default: fields.default.default(false),
  })
  .meta({ id: 'NewTaxRate', example: { name: 'VAT', percent: '19', default: true } })
export type NewTaxRate = z.output<typeof NewTaxRateBody>

export const TaxRateChangesBody = z
  .strictObject({ default: fields.default })
  .meta({ id: 'TaxRateChanges', example: { default: false } })

export const TaxRateAnswer = z
  .object({ id: z.uuid(), ...fields, created_at: z.string() })
  .meta({ id: 'TaxRate' })
export type TaxRate = z.output<typeof TaxRateAnswer>

export const TaxRatesPage = pageSchema(TaxRateAnswer)
export const TaxRatesQuery = PageQuery
export const TaxRateParams = z.object({ id: z.uuid() })
export const CustomerParams = z.object({ id: z.string().min(1).max(255) })

export const CustomerTaxesBody = z
  .strictObject({
    tax_rate_ids: z
      .array(z.uuid())
      .max(20)
      .nullable()
      .meta({ description: "In place of the organization's; [] exempts, null undoes." }),
  })
  .meta({ id: 'CustomerTaxes' })

export const CustomerTaxesAnswer = z
  .object({
    own: z.boolean().meta({ description: "The customer's own, else the organization's." }),
    data: z.array(TaxRateAnswer),
  })
  .meta({ id: 'TaxRatesOfCustomer' })
