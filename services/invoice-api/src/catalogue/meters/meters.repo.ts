import { randomUUID } from 'node:crypto'
import type { Sql } from '@billtrail/platform'
import { unwrapErrors } from '@billtrail/platform/sequelize'
import { Op, type Transaction } from 'sequelize'
import type { MeterRow, Meters } from './meter.model'
import type { MeterContent } from './present-meter'

interface MeterKey {
  readonly organizationId: string
  readonly code: string
}

export async function findMeter(meters: Meters, key: MeterKey): Promise<MeterRow | null> {
  return unwrapErrors(() => meters.findOne({ where: { ...key } }))
}

/** Locked until the transaction ends. */
export async function lockMeter(
  meters: Meters,
  transaction: Transaction,
  key: MeterKey,
): Promise<MeterRow | null> {
  return meters.findOne({ where: { ...key }, transaction, lock: transaction.LOCK.UPDATE })
}

/** By code, ascending by its bytes. */
export async function listMeters(
  meters: Meters,
  page: { organizationId: string; after?: string | undefined; limit?: number },
  transaction?: Transaction,
): Promise<MeterRow[]> {
  const { organizationId, after, limit } = page
  return unwrapErrors(() =>
    meters.findAll({
      where: { organizationId, ...(after === undefined ? {} : { code: { [Op.gt]: after } }) },
      order: [['code', 'ASC']],
      ...(limit === undefined ? {} : { limit }),
      ...(transaction === undefined ? {} : { transaction }),
    }),
  )
}

export async function insertMeter(
  meters: Meters,
  transaction: Transaction,
  { organizationId, code, content }: MeterKey & { content: MeterContent },
): Promise<MeterRow> {
  const { name, aggregation, property, filters } = content
  return meters.create(
    {
      id: randomUUID(),
      organizationId,
      code,
      name,
      eventType: content.event_type,
      aggregation,
      property,
      filters,
      groupBy: content.group_by,
    },
    { transaction },
  )
}

export async function updateMeter(
  meter: MeterRow,
  transaction: Transaction,
  content: MeterContent,
): Promise<void> {
  meter.set({
    name: content.name,
    eventType: content.event_type,
    aggregation: content.aggregation,
    property: content.property,
    filters: content.filters,
    groupBy: content.group_by,
  })
  await meter.save({ transaction })
}

/** Codes of the meters that versions use which were activated: such a version never changes, nor what it counts. */
export async function frozenMeters(sql: Sql, organizationId: string): Promise<ReadonlySet<string>> {
  const { rows } = await sql.query<{ code: string }>(
    `select distinct charge ->> 'meter' as code
     from plans p join plan_versions v on v.plan_id = p.id
     cross join lateral jsonb_array_elements(v.charges) as charge
     where p.organization_id = $1 and v.activated_at is not null and charge ->> 'meter' is not null`,
    [organizationId],
  )
  return new Set(rows.map((row) => row.code))
}
