import { Client } from 'pg'

const FILL_MONTHS = 12

/**
 * Stores so many events of so many customers (`customer-0000000` and on) over the twelve months before October
 * 2026, with their usage, as if one upload had brought them. The key is built after the rows: minutes faster.
 */
export async function fillDatabase(
  url: string,
  { events, customers }: { events: number; customers: number },
): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const run = (statement: string, values?: unknown[]) => client.query(statement, values)
    await run(
      `insert into customers (organization_id, id)
       select o.id, 'customer-' || lpad(n::text, 7, '0')
       from organizations o, generate_series(0, $1::int - 1) n`,
      [customers],
    )
    await run(
      `insert into event_types (organization_id, name)
       select o.id, t from organizations o, unnest(array['api_call', 'storage', 'egress', 'compute', 'login']) t`,
    )
    await run(
      `insert into uploads (organization_id, filename, state, rows, accepted, created_by, usage_counted, completed_at)
       select id, 'filled.csv', 'committed', $1, $1, gen_random_uuid(), true, now() from organizations`,
      [events],
    )
    await run('alter table events drop constraint events_pkey')
    await run(
      `insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, quantity)
       select c.lowest + n % $2::int, t.lowest + (n / $2::int) % 5,
              timestamptz '2025-10-01Z' + (random() * ${FILL_MONTHS * 30}) * interval '1 day',
              gen_random_uuid(), u.upload_no, n, 1
       from generate_series(1, $1::int) n,
            (select min(customer_no) as lowest from customers) c,
            (select min(event_type_no) as lowest from event_types) t,
            (select max(upload_no) as upload_no from uploads) u`,
      [events, customers],
    )
    await run("set maintenance_work_mem = '512MB'")
    await run('alter table events add primary key (customer_no, event_key)')
    await run(
      `insert into counted_usage
       select customer_no, to_char(event_date at time zone 'UTC', 'YYYY-MM'), event_type_no, false,
              sum(quantity), 0, count(*), now()
       from events group by 1, 2, 3`,
    )
    await run('vacuum analyze')
    await run('checkpoint')
  } finally {
    await client.end()
  }
}
