import type { ChargeJson } from '@billtrail/contracts'
import { sqlState, type Sql } from '@billtrail/platform'
import type { OverrideJson } from './subscriptions.schema'

/** A subscription as it is shown. Instants are RFC 3339 in UTC. */
export interface Subscription {
  readonly customerNo: number
  readonly id: string
  readonly customerId: string
  readonly plan: string
  readonly planId: string
  readonly planVersion: number
  readonly planVersionId: string
  readonly startAt: string
  readonly endAt: string | null
  readonly overrides: readonly OverrideJson[]
  readonly createdAt: string
}

const at = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const COLUMNS = `
  s.customer_no as "customerNo", s.id, c.id as "customerId", p.code as plan, p.id as "planId",
  v.version as "planVersion", v.id as "planVersionId", ${at('s.start_at')} as "startAt",
  ${at('s.end_at')} as "endAt", s.overrides, ${at('s.created_at')} as "createdAt"`

const FROM = `
  from subscriptions s
  join customers c on c.customer_no = s.customer_no
  join plan_versions v on v.id = s.plan_version_id
  join plans p on p.id = v.plan_id`

export async function findSubscription(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<Subscription | undefined> {
  const { rows } = await sql.query<Subscription & Record<string, unknown>>(
    `select ${COLUMNS} ${FROM} where c.organization_id = $1 and s.id = $2`,
    [key.organizationId, key.id],
  )
  return rows[0]
}

/** The oldest first. */
export async function listSubscriptions(
  sql: Sql,
  page: {
    organizationId: string
    customerId: string | undefined
    after: readonly [createdAt: string, id: string] | undefined
    limit: number
  },
): Promise<Subscription[]> {
  const { rows } = await sql.query<Subscription & Record<string, unknown>>(
    `select ${COLUMNS} ${FROM}
     where c.organization_id = $1 and ($2::text is null or c.id = $2)
       and ($3::timestamptz is null or (s.created_at, s.id) > ($3, $4::uuid))
     order by s.created_at, s.id limit $5`,
    [page.organizationId, page.customerId, page.after?.[0], page.after?.[1], page.limit],
  )
  return rows
}

/** Keeps it as it is until the transaction ends. */
export async function lockSubscription(
  sql: Sql,
  key: { customerNo: number; id: string },
): Promise<void> {
  await sql.query('select from subscriptions where customer_no = $1 and id = $2 for update', [
    key.customerNo,
    key.id,
  ])
}

export async function insertSubscription(
  sql: Sql,
  subscription: {
    customerNo: number
    planVersionId: string
    startAt: string
    endAt: string | null
    overrides: readonly OverrideJson[]
  },
): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    `insert into subscriptions (customer_no, plan_version_id, start_at, end_at, overrides)
     values ($1, $2, $3, $4, $5::jsonb) returning id`,
    [
      subscription.customerNo,
      subscription.planVersionId,
      subscription.startAt,
      subscription.endAt,
      JSON.stringify(subscription.overrides),
    ],
  )
  return rows[0]!.id
}

export async function updateEnd(
  sql: Sql,
  key: { customerNo: number; id: string },
  endAt: string | null,
): Promise<void> {
  await sql.query('update subscriptions set end_at = $3 where customer_no = $1 and id = $2', [
    key.customerNo,
    key.id,
    endAt,
  ])
}

/** A customer that shows: registered, or with usage. */
export async function findSubscriber(
  sql: Sql,
  key: { organizationId: string; customerId: string },
): Promise<{ customerNo: number; zone: string } | undefined> {
  const { rows } = await sql.query<{ customerNo: number; zone: string }>(
    `select c.customer_no as "customerNo", coalesce(c.timezone, o.timezone) as zone
     from customers c join organizations o on o.id = c.organization_id
     where c.organization_id = $1 and c.id = $2
       and (c.registered_at is not null or exists (select from usage u where u.customer_no = c.customer_no))`,
    [key.organizationId, key.customerId],
  )
  return rows[0]
}

export interface OfferedVersion {
  readonly id: string
  readonly plan: string
  readonly version: number
  readonly state: string
  readonly currency: string
  readonly charges: readonly ChargeJson[]
  readonly carry_tiers: boolean
}

/** The version itself, or of a plan (by code or id) its active one: kept as it is until the transaction ends. */
export async function findOffer(
  sql: Sql,
  wanted: { organizationId: string; plan: string | undefined; planVersionId: string | undefined },
): Promise<OfferedVersion | undefined> {
  const { rows } = await sql.query<OfferedVersion & Record<string, unknown>>(
    `select v.id, p.code as plan, v.version, v.state, p.currency, v.charges, v.carry_tiers
     from plans p join plan_versions v on v.plan_id = p.id
     where p.organization_id = $1
       and (v.id = $2::uuid or ((p.code = $3 or p.id::text = $3) and v.state = 'active'))
     for share of v`,
    [wanted.organizationId, wanted.planVersionId, wanted.plan],
  )
  return rows[0]
}

const EXCLUSION_VIOLATION = '23P01'

export const overlaps = (error: unknown): boolean => sqlState(error) === EXCLUSION_VIOLATION
