import type { Sql } from '@billtrail/platform'

export interface Effect {
  readonly customerNo: number
  readonly period: string
  readonly currency: string
  readonly quantityBefore: string
  readonly quantityAfter: string
  readonly amountBefore: string
  readonly amountAfter: string
}

/** The months in which the upload stored events, inside the transaction that stored them. */
export async function monthsOfUpload(
  sql: Sql,
  uploadNo: number,
): Promise<{ customerNo: number; period: string }[]> {
  const { rows } = await sql.query<{ customer_no: number; period: string }>(
    `select distinct e.customer_no,
       to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period
     from events e
     join customers c on c.customer_no = e.customer_no
     join organizations o on o.id = c.organization_id
     where e.upload_no = $1 order by 1, 2`,
    [uploadNo],
  )
  return rows.map((row) => ({ customerNo: row.customer_no, period: row.period }))
}

/** Forgets what is known of an upload's effects. */
export async function deleteEffects(sql: Sql, uploadNo: number): Promise<void> {
  await sql.query('delete from preview_effects where upload_no = $1', [uploadNo])
}

export async function insertEffects(
  sql: Sql,
  uploadNo: number,
  effects: readonly Effect[],
): Promise<void> {
  await sql.query(
    `insert into preview_effects (upload_no, customer_no, period, currency,
       quantity_before, quantity_after, amount_before, amount_after)
     select $1, * from unnest($2::int[], $3::text[], $4::text[],
       $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[])`,
    [
      uploadNo,
      effects.map((effect) => effect.customerNo),
      effects.map((effect) => effect.period),
      effects.map((effect) => effect.currency),
      effects.map((effect) => effect.quantityBefore),
      effects.map((effect) => effect.quantityAfter),
      effects.map((effect) => effect.amountBefore),
      effects.map((effect) => effect.amountAfter),
    ],
  )
}

export interface EffectRow {
  readonly customer_no: number
  readonly customer_id: string
  readonly name: string | null
  readonly period: string
  readonly currency: string
  readonly quantity_before: string
  readonly quantity_after: string
  readonly amount_before: string
  readonly amount_after: string
}

/** By customer and month, `limit + 1` of them from behind the cursor. */
export async function listEffects(
  sql: Sql,
  uploadNo: number,
  page: { limit: number; after: readonly [number, string, string] | undefined },
): Promise<EffectRow[]> {
  const { rows } = await sql.query<EffectRow>(
    `select p.customer_no, c.id as customer_id, c.name, p.period, p.currency,
       p.quantity_before, p.quantity_after, p.amount_before, p.amount_after
     from preview_effects p join customers c on c.customer_no = p.customer_no
     where p.upload_no = $1 and (p.customer_no, p.period, p.currency) > ($2, $3, $4)
     order by p.customer_no, p.period, p.currency limit $5`,
    [uploadNo, page.after?.[0] ?? 0, page.after?.[1] ?? '', page.after?.[2] ?? '', page.limit + 1],
  )
  return rows
}
