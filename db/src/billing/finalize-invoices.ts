import type { Sql } from '@billtrail/platform'
import { planSql } from './plan-sql'

/** An invoice by its key. */
export interface InvoiceKey {
  readonly customerNo: number
  readonly id: string
}

export interface FinalizeRequest {
  readonly organizationId: string
  readonly invoices: readonly InvoiceKey[]
  /** Who does it, for the audit log. */
  readonly actor: string
  /** Leave out months whose bill waits to be renewed. */
  readonly onlySettled: boolean
}

export interface FinalizedInvoice extends InvoiceKey {
  readonly number: string
  readonly period: string
}

const LOCK = `
  select i.id from invoices i
  join unnest($2::int[], $3::uuid[]) as w (customer_no, id)
    on w.customer_no = i.customer_no and w.id = i.id
  where i.organization_id = $1
  order by i.customer_no, i.id for update of i`

// Whether a month is settled is asked in the statement that finalizes it: its bill must be of all the usage this
// statement can see, and no queue may name it.
const FINALIZE = `
  with picked as (
    select i.customer_no, i.id, row_number() over (order by i.period, i.customer_no, i.currency) - 1 as position
    from unnest($2::int[], $3::uuid[]) as w (customer_no, id)
    join invoices i on i.customer_no = w.customer_no and i.id = w.id
    join bills b on b.customer_no = i.customer_no and b.period = i.period and b.currency = i.currency
    where i.organization_id = $1 and i.status = 'draft'
      and not ($4 and (
        exists (select from usage_changes q where q.customer_no = i.customer_no and q.period = i.period)
        or exists (select from months_to_bill q where q.customer_no = i.customer_no and q.period = i.period)
        or not exists (
          select from usage u where u.customer_no = i.customer_no and u.period = i.period
          having (coalesce(sum(u.quantity), 0), coalesce(sum(u.events), 0)) = (
            select sum(m.quantity), sum(m.events) from bills m
            where m.customer_no = i.customer_no and m.period = i.period))))
  ), finalized as (
    update invoices i
    set status = 'finalized',
        number = o.slug || '-' || to_char(now() at time zone o.timezone, 'YYYY') || '-'
          || lpad((o.next_invoice_number + p.position)::text,
                  greatest(6, length((o.next_invoice_number + p.position)::text)), '0'),
        customer = jsonb_build_object('id', c.id, 'name', c.name),
        plan = coalesce(b.plan, ${planSql('v', 'pl')}),
        quantity = b.quantity, lines = b.lines, taxes = b.taxes, total = b.total, as_of = b.billed_at,
        finalized_at = now()
    from picked p, organizations o, bills b, customers c, plan_versions v, plans pl
    where i.customer_no = p.customer_no and i.id = p.id and o.id = $1
      and b.customer_no = i.customer_no and b.period = i.period and b.currency = i.currency
      and c.customer_no = i.customer_no and v.id = b.plan_version_id and pl.id = v.plan_id
    returning i.customer_no, i.id, i.period, i.number, i.total, i.currency
  ), audited as (
    insert into audit_log (organization_id, actor, action, object_type, object_id, before, after)
    select $1, $5, 'invoice.finalized', 'invoice', f.id::text, '{"status": "draft"}',
           jsonb_build_object('status', 'finalized', 'number', f.number, 'total', f.total::text, 'currency', f.currency)
    from finalized f
  ), marked as (
    insert into billable_changes (organization_id, period)
    select distinct $1::uuid, period from finalized
    on conflict (organization_id, period) do update set changed_at = clock_timestamp()
  )
  select customer_no, id, period, number from finalized`

/**
 * Turns drafts into documents that never change: the bill's lines, the plan and the customer's name are copied, and
 * each gets the organization's next number, by month and customer. What is no draft any more is passed over.
 *
 * Runs inside the caller's transaction. Invoices are locked first and the organization's row, which holds the next
 * number, last: numbers have no gaps, for a transaction that fails takes its numbers back.
 */
export async function finalizeInvoices(
  sql: Sql,
  request: FinalizeRequest,
): Promise<FinalizedInvoice[]> {
  const keys = [
    request.organizationId,
    request.invoices.map((invoice) => invoice.customerNo),
    request.invoices.map((invoice) => invoice.id),
  ]
  await sql.query(LOCK, keys)
  await sql.query('select from organizations where id = $1 for no key update', [
    request.organizationId,
  ])
  const { rows } = await sql.query<{
    customer_no: number
    id: string
    period: string
    number: string
  }>(FINALIZE, [...keys, request.onlySettled, request.actor])
  if (rows.length > 0) {
    await sql.query(
      'update organizations set next_invoice_number = next_invoice_number + $2 where id = $1',
      [request.organizationId, rows.length],
    )
  }
  return rows.map((row) => ({
    customerNo: row.customer_no,
    id: row.id,
    period: row.period,
    number: row.number,
  }))
}
