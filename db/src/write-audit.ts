import type { Sql } from '@billtrail/platform'

/** Who changed what, from what to what. `before` null: it was made. */
export async function writeAudit(
  sql: Sql,
  entry: {
    organizationId: string
    actor: string
    action: string
    objectType: string
    objectId: string
    before: object | null
    after: object
  },
): Promise<void> {
  await sql.query(
    `insert into audit_log (organization_id, actor, action, object_type, object_id, before, after)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)`,
    [
      entry.organizationId,
      entry.actor,
      entry.action,
      entry.objectType,
      entry.objectId,
      entry.before === null ? null : JSON.stringify(entry.before),
      JSON.stringify(entry.after),
    ],
  )
}
