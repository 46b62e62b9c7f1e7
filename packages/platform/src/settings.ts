import { z } from 'zod'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)

/** Every setting of the README's table, by the name of its variable. A service picks those it needs. */
export const settings = {
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  BILLTRAIL_DATA_DIR: z.string().default('.data'),
  BILLTRAIL_ADMIN_KEY: z
    .string()
    .min(16, 'use at least 16 characters')
    .max(200)
    .regex(/^[\x21-\x7e]+$/, 'use printable ASCII without blanks')
    .optional(),
  BILLTRAIL_SUPERVISED: z.enum(['0', '1']).default('0'),
  BILLTRAIL_ORGANIZATION_SLUG: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'use letters, digits, dot, dash, underscore')
    .default('TeamBees'),
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: 'use postgresql://user:password@host:port/database',
  }),
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'use http://host:port' }).optional(),
  S3_REGION: z.string().default('us-east-1'),
  BILLABLE_BUCKET: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      'use 3 to 63 lower case letters, digits, dots and dashes',
    )
    .default('siua-billable-customers'),
  BILLING_INTERVAL_SECONDS: z.coerce.number().int().min(1).max(86_400).default(60),
  BILLING_GRACE_HOURS: z.coerce.number().min(0).max(8_760).default(24),
  INGEST_PORT: port(4001),
  USAGE_PORT: port(4002),
  BILLING_PORT: port(4003),
  INVOICE_PORT: port(4004),
  GATEWAY_PORT: port(8080),
}
