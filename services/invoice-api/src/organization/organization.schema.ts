import { DomainError, isCurrency, zoneOffset } from '@billtrail/domain'
import { z } from 'zod'

const isTimezone = (text: string): boolean => {
  try {
    zoneOffset(text)
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}

const Name = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'has characters that are not text')

const fields = {
  name: Name,
  slug: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'use letters, digits, dot, dash, underscore')
    .meta({ description: 'Begins S3 keys and invoice numbers; files are written anew under it.' }),
  currency: z.string().refine(isCurrency, 'is not a currency code of ISO 4217, like USD'),
  timezone: z
    .string()
    .max(100)
    .refine(isTimezone, 'is not the name of an IANA time zone, like Europe/Berlin')
    .meta({ description: 'Months of customers without a zone of their own are counted anew.' }),
  billable_group_by: z.enum(['customer', 'name']),
  billable_period: z.enum(['month', 'all']),
  grace_hours: z
    .number()
    .min(0)
    .max(8760)
    .nullable()
    .meta({ description: "null: the billing worker's." }),
}

export const OrganizationBody = z
  .object({ id: z.uuid(), ...fields, created_at: z.string(), updated_at: z.string() })
  .meta({ id: 'Organization' })

export const OrganizationChangesBody = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'OrganizationChanges', example: { timezone: 'Europe/Berlin', grace_hours: 48 } })

export type OrganizationChanges = z.output<typeof OrganizationChangesBody>
export type OrganizationFields = Required<OrganizationChanges>
