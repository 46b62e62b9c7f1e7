import type { Writable } from 'node:stream'
import { DomainError } from '@billtrail/domain'
import { decodeCursor, type Page, pageOf } from '@billtrail/platform'
import type { Pool } from 'pg'
import { z } from 'zod'
import type { EventAnswer, EventsQuery } from './event.schema'
import {
  type EventFilter,
  type EventRow,
  exportEvents,
  findUploadNo,
  listEventsByCustomer,
  listEventsByLine,
} from './events.repo'
import { writeEventsCsv } from './write-events-csv'

const CustomerCursor = z.tuple([z.int(), z.string().max(40), z.uuid()])
const LineCursor = z.tuple([z.int()])

function present(row: EventRow): z.output<typeof EventAnswer> {
  return {
    customer_id: row.customer_id,
    event_type: row.event_type,
    event_id: row.event_id,
    event_date: row.event_date,
    quantity: row.quantity,
    unit_price: row.unit_price,
    properties: row.properties ?? {},
    source: { upload_id: row.upload_id, filename: row.filename, line: row.line },
  }
}

type Query = z.output<typeof EventsQuery>

async function filterOf(pool: Pool, organizationId: string, query: Query): Promise<EventFilter> {
  let uploadNo: number | undefined
  if (query.upload_id !== undefined) {
    uploadNo = await findUploadNo(pool, organizationId, query.upload_id)
    if (uploadNo === undefined) {
      throw new DomainError(
        'not_found',
        'upload_not_found',
        `There is no upload ${query.upload_id}.`,
      )
    }
  }
  return {
    organizationId,
    customerId: query.customer_id,
    eventType: query.event_type,
    startDate: query.start_date,
    endDate: query.end_date,
    uploadNo,
  }
}

/** A page of events: of one upload in file order, otherwise by customer and date. */
export async function showEvents(
  pool: Pool,
  organizationId: string,
  query: Query,
): Promise<Page<z.output<typeof EventAnswer>>> {
  const filter = await filterOf(pool, organizationId, query)
  if (filter.uploadNo !== undefined) {
    const after = decodeCursor(query.cursor, LineCursor)?.[0]
    const rows = await listEventsByLine(
      pool,
      { ...filter, uploadNo: filter.uploadNo },
      { limit: query.limit, after },
    )
    return pageOf(rows, query.limit, present, (row) => [row.line])
  }
  const after = decodeCursor(query.cursor, CustomerCursor)
  const rows = await listEventsByCustomer(pool, filter, { limit: query.limit, after })
  return pageOf(rows, query.limit, present, (row) => [
    row.customer_no,
    row.event_date,
    row.event_key,
  ])
}

/** All matching events as CSV, streamed. */
export async function streamEvents(
  pool: Pool,
  organizationId: string,
  query: Query,
  out: Writable,
): Promise<void> {
  const filter = await filterOf(pool, organizationId, query)
  await exportEvents(pool, filter, (source) => writeEventsCsv(source, out))
}
