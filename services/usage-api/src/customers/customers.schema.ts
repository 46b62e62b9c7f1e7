import {
  isCurrency,
  isFault,
  parseIdText,
  rejectMessage,
  DomainError,
  zoneOffset,
} from '@billtrail/domain'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

const NAME_BYTES_MAX = 1000
const EMAIL_BYTES_MAX = 320
/** What PostgreSQL cannot keep as text. */
const NOT_TEXT = /\0|\p{Surrogate}/u

const isTimezone = (text: string): boolean => {
  try {
    zoneOffset(text)
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}

/** A customer's id in a body: the rules are those of files. */
const CustomerId = z
  .string()
  .transform((text, context) => {
    const parsed = parseIdText('customer_id', text)
    if (!isFault(parsed)) return parsed.text
    context.addIssue({ code: 'custom', message: rejectMessage(parsed.reason) })
    return z.NEVER
  })
  .meta({ description: "The organization's own id of the customer", example: '123' })

const Name = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= NAME_BYTES_MAX, 'is longer than 1000 bytes')
  .refine((text) => !NOT_TEXT.test(text), 'is not valid text')
  .nullable()
  .meta({ example: 'John Smith' })

const Email = z
  .email('is not an email address')
  .refine((text) => Buffer.byteLength(text) <= EMAIL_BYTES_MAX, 'is longer than 320 bytes')
  .nullable()
  .meta({ example: 'john@example.com' })

const Currency = z
  .string()
  .refine(isCurrency, 'is not a currency code of ISO 4217 in capitals, like USD')
  .nullable()
  .meta({ description: "ISO 4217; null: the organization's", example: 'USD' })

const Timezone = z
  .string()
  .refine(isTimezone, 'is not the name of an IANA time zone, like Europe/Berlin')
  .nullable()
  .meta({ description: "IANA name; null: the organization's", example: 'Europe/Berlin' })

export const NewCustomerBody = z.strictObject({
  id: CustomerId,
  name: Name.optional(),
  email: Email.optional(),
  currency: Currency.optional(),
  timezone: Timezone.optional(),
})

export const CustomerChangesBody = z
  .strictObject({
    name: Name.optional(),
    email: Email.optional(),
    currency: Currency.optional(),
    timezone: Timezone.optional(),
  })
  .meta({ description: 'What is absent stays as it is; null clears.' })

export const CustomerParams = z.object({ id: z.string() })

export const CustomersQuery = PageQuery.extend({
  name: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'Only customers whose name contains this, in any case' }),
})

export const CustomerBody = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    currency: z.string().nullable(),
    timezone: z.string().nullable(),
    registered_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Null while the customer is known from usage only' }),
    updated_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Customer' })

export const CustomersPage = pageSchema(CustomerBody)

/** Fields that people set. Absent: left alone; null: cleared. */
export type CustomerFields = z.output<typeof CustomerChangesBody>
export type NewCustomer = z.output<typeof NewCustomerBody>
