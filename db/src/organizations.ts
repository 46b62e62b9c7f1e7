import { randomBytes } from 'node:crypto'
import { hashKey, type Sql } from '@billtrail/platform'

/** A fresh key: 256 random bits. It is shown once and stored as its hash. */
export const newKey = (): string => `bt_${randomBytes(32).toString('base64url')}`

/** The charges of the plan that a new organization starts with: volume tiers over the sum of all usage. */
const STANDARD_CHARGES = [
  {
    id: 'usage',
    name: 'Usage',
    meter: 'all_usage',
    price: {
      model: 'volume',
      tiers: [
        { up_to: '10', unit_price: '5.00' },
        { up_to: '20', unit_price: '4.00' },
        { up_to: null, unit_price: '3.00' },
      ],
    },
  },
]

/** Makes an organization with its default plan `standard` and the meter that plan uses; returns its id. */
export async function createOrganization(
  sql: Sql,
  organization: { slug: string; name?: string },
): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    'insert into organizations (slug, name) values ($1, $2) returning id',
    [organization.slug, organization.name ?? organization.slug],
  )
  const id = rows[0]!.id
  await sql.query(
    `insert into meters (organization_id, code, name, aggregation)
     values ($1, 'all_usage', 'All usage', 'sum')`,
    [id],
  )
  await sql.query(
    `with plan as (
       insert into plans (organization_id, code, name, currency)
       values ($1, 'standard', 'Standard', 'USD') returning id
     ), version as (
       insert into plan_versions (plan_id, version, state, charges, activated_at)
       select id, 1, 'active', $2::jsonb, now() from plan
     )
     update organizations set default_plan_id = (select id from plan) where id = $1`,
    [id, JSON.stringify(STANDARD_CHARGES)],
  )
  return id
}

const FIRST_ORGANIZATION_LOCK = 7_245_611_391

/** Finds the oldest organization, or makes the first one. Runs in a transaction: two starters make one. */
export async function ensureFirstOrganization(sql: Sql, slug: string): Promise<string> {
  await sql.query('select pg_advisory_xact_lock($1)', [FIRST_ORGANIZATION_LOCK])
  const { rows } = await sql.query<{ id: string }>(
    'select id from organizations order by created_at, id limit 1',
  )
  return rows[0]?.id ?? (await createOrganization(sql, { slug }))
}

/** Lets a key in as an administrator of the organization; a key that is known already stays as it is. */
export async function ensureAdminKey(
  sql: Sql,
  options: { organizationId: string; key: string },
): Promise<void> {
  await sql.query(
    `insert into api_keys (organization_id, name, role, key_hash) values ($1, 'admin', 'admin', $2)
     on conflict (key_hash) do nothing`,
    [options.organizationId, hashKey(options.key)],
  )
}
