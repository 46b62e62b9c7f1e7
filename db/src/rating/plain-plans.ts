import type { Sql } from '@billtrail/platform'

/** How the months of a customer are priced while `rating_generations` says so. */
export interface PlainPlan {
  readonly generation: string
  /**
   * The plan version that prices them from one end to the other, by nothing but their totals; null where subscriptions, taxes
   * or an upload that waits to be counted have a say.
   */
  readonly planVersionId: string | null
}

/** Customers by their numbers, whose months were asked for before. */
export type PlainPlans = Map<number, PlainPlan>

const KNOWN_MAX = 100_000

// One statement: what it reads is of one moment, that of the number. What it reads changes the number (`next_rating_generation`).
const PLAIN_PLANS = `
  select w.customer_no, g.generation::text as generation,
         case when not exists (select from subscriptions s where s.customer_no = w.customer_no)
               and not exists (select from customer_taxes t where t.customer_no = w.customer_no)
               and not exists (select from tax_rates t where t.organization_id = g.organization_id and t.is_default)
               and not exists (select from uploads u where u.organization_id = g.organization_id
                                                       and u.state = 'committed' and not u.usage_counted)
              then (select v.id from organizations o
                    join plans p on p.id = o.default_plan_id and p.organization_id = o.id
                    join plan_versions v on v.plan_id = p.id and v.state = 'active' where o.id = g.organization_id)
         end as plan_version_id
  from rating_generations g
  cross join unnest($2::int[]) as w (customer_no)
  where g.organization_id = $1`

/** Reads how customers of an organization are priced, and remembers it. */
export async function learnPlainPlans(
  sql: Sql,
  known: PlainPlans,
  { organizationId, customerNos }: { organizationId: string; customerNos: readonly number[] },
): Promise<void> {
  const { rows } = await sql.query<{
    customer_no: number
    generation: string
    plan_version_id: string | null
  }>(PLAIN_PLANS, [organizationId, customerNos])
  if (known.size + rows.length > KNOWN_MAX) known.clear()
  for (const { customer_no, generation, plan_version_id: planVersionId } of rows) {
    known.set(customer_no, { generation, planVersionId })
  }
}
