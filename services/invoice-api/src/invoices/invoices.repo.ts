import { type LineItem, planSql, type PlanSnapshot, type TaxItem } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

export type InvoiceStatus = 'draft' | 'finalized' | 'paid' | 'void'

/** An invoice as it stands: of a draft the bill's figures, of a document its own. Amounts are decimal texts. */
export interface InvoiceHead {
  readonly id: string
  readonly customerNo: number
  readonly status: InvoiceStatus
  readonly number: string | null
  readonly customerId: string
  readonly customerName: string | null
  readonly period: string
  readonly periodStart: string
  readonly periodEnd: string
  readonly currency: string
  readonly quantity: string
  readonly total: string
  /** Until when usage is counted in. */
  readonly asOf: string
  readonly createdAt: string
  readonly finalizedAt: string | null
  readonly paidAt: string | null
  readonly voidedAt: string | null
}

export interface Invoice extends InvoiceHead {
  readonly plan: PlanSnapshot
  readonly lines: readonly LineItem[]
  readonly taxes: readonly TaxItem[]
}

const at = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const second = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

const HEAD = `
  i.id, i.customer_no as "customerNo", i.status, i.number,
  c.id as "customerId", case when i.status = 'draft' then c.name else i.customer ->> 'name' end as "customerName",
  i.period, ${second('i.period_start')} as "periodStart", ${second('i.period_end')} as "periodEnd", i.currency,
  trim_scale(coalesce(i.quantity, b.quantity))::text as quantity, coalesce(i.total, b.total)::text as total,
  ${at('coalesce(i.as_of, b.billed_at)')} as "asOf", ${at('i.created_at')} as "createdAt",
  ${at('i.finalized_at')} as "finalizedAt", ${at('i.paid_at')} as "paidAt", ${at('i.voided_at')} as "voidedAt"`

const FROM = `
  from invoices i
  join customers c on c.customer_no = i.customer_no
  left join bills b on i.status = 'draft'
    and b.customer_no = i.customer_no and b.period = i.period and b.currency = i.currency`

const FULL = `
  select ${HEAD}, coalesce(i.lines, b.lines) as lines,
         coalesce(i.taxes, b.taxes, '[]') as taxes,
         coalesce(i.plan, b.plan, ${planSql('v', 'p')}) as plan
  ${FROM}
  left join plan_versions v on v.id = b.plan_version_id
  left join plans p on p.id = v.plan_id`

export async function findInvoice(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<Invoice | undefined> {
  const { rows } = await sql.query<Invoice & Record<string, unknown>>(
    `${FULL} where i.organization_id = $1 and i.id = $2`,
    [key.organizationId, key.id],
  )
  return rows[0]
}

export interface InvoicePage {
  readonly organizationId: string
  readonly customerId: string | undefined
  readonly period: string | undefined
  readonly statuses: readonly InvoiceStatus[]
  readonly limit: number
  readonly after: readonly [period: string, id: string] | undefined
}

/** The newest month first. */
export async function listInvoices(sql: Sql, page: InvoicePage): Promise<InvoiceHead[]> {
  const { rows } = await sql.query<InvoiceHead & Record<string, unknown>>(
    `select ${HEAD} ${FROM}
     where i.organization_id = $1 and i.status = any($2::text[])
       and ($3::text is null or i.customer_no = (
         select customer_no from customers where organization_id = $1 and id = $3))
       and ($4::text is null or i.period = $4)
       and ($5::text is null or i.period < $5 or (i.period = $5 and i.id > $6::uuid))
     order by i.period desc, i.id limit $7`,
    [
      page.organizationId,
      page.statuses,
      page.customerId,
      page.period,
      page.after?.[0],
      page.after?.[1],
      page.limit,
    ],
  )
  return rows
}

export async function customerExists(
  sql: Sql,
  key: { organizationId: string; customerId: string },
): Promise<boolean> {
  const { rows } = await sql.query(
    `select from customers c where c.organization_id = $1 and c.id = $2
       and (c.registered_at is not null or exists (select from usage u where u.customer_no = c.customer_no))`,
    [key.organizationId, key.customerId],
  )
  return rows.length > 0
}

export interface LockedInvoice {
  readonly customerNo: number
  readonly status: InvoiceStatus
  readonly period: string
  readonly over: boolean
  /** Of the draft's bill. */
  readonly billingRunId: string | null
}

/** Keeps everybody else from changing the invoice until the transaction ends. */
export async function lockInvoice(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<LockedInvoice | undefined> {
  const { rows } = await sql.query<LockedInvoice & Record<string, unknown>>(
    `select i.customer_no as "customerNo", i.status, i.period, i.period_end <= now() as over,
            (select b.billing_run_id from bills b where b.customer_no = i.customer_no and b.period = i.period
               and b.currency = i.currency) as "billingRunId"
     from invoices i where i.organization_id = $1 and i.id = $2 for update`,
    [key.organizationId, key.id],
  )
  return rows[0]
}
