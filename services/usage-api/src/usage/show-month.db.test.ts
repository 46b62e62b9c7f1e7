import { internCustomers, internEventTypes, rateMonths, recordEvents } from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import { inTransaction } from '@billtrail/platform'
import { useUsageApi } from '../testing/use-usage-api'

const api = useUsageApi()

/** As a file brings it: nobody has registered the customer. */
async function use(
  id: string,
  event_type: string,
  unitPrice: string | null = null,
): Promise<number> {
  const { organizationId } = api.client()
  const [customerNo] = await internCustomers(api.owner(), organizationId, [{ id, name: null }])
  const [eventTypeNo] = await internEventTypes(api.owner(), organizationId, [event_type])
  const eventId = `${event_type} ${unitPrice}`
  await recordEvents(api.owner(), [
    {
      customerNo: customerNo!,
      eventTypeNo: eventTypeNo!,
      eventKey: eventKey(eventId),
      eventId,
      eventDate: '2026-03-05T00:00:00Z',
      quantity: '1.50',
      unitPrice,
      properties: null,
    },
  ])
  return customerNo!
}

const show = (id: string, period = '2026-03') =>
  api.client().call('get', `/v1/customers/${id}/usage/${period}`)

test('a type is shown with all its events, whether or not they have prices of their own; types ascend by their bytes', async () => {
  await use('types', 'ﬁne', '2')
  await use('types', 'call')
  await use('types', '😀')
  await use('types', 'call', '2')
  await use('types', 'call', '3')
  await use('types', 'Zone')
  const { body } = await show('types').expect(200)
  expect(body).toMatchObject({
    accumulated_price: '33.00',
    event_types: [
      { event_type: 'Zone', quantity: '1.5', events: 1 },
      { event_type: 'call', quantity: '4.5', events: 3 },
      { event_type: 'ﬁne', quantity: '1.5', events: 1 },
      { event_type: '😀', quantity: '1.5', events: 1 },
    ],
  })
})

test('a customer that only its usage shows is not found once that usage is withdrawn, also where it was known', async () => {
  const customerNo = await use('passing', 'call')
  await show('passing').expect(200)
  await show('passing').expect(200)
  await show('passing', '2026-04').expect(200)

  await api.owner().query('delete from events where customer_no = $1', [customerNo])
  await api.owner().query('delete from counted_usage where customer_no = $1', [customerNo])
  await show('passing').expect(404)
  await show('passing', '2026-04').expect(404)
  await api.client().call('post', '/v1/customers/passing/usage', { event_type: 'call' }).expect(404)

  await use('passing', 'again')
  await show('passing').expect(200)
})

/** What the month comes to, and how often that took a look at the table of events. */
async function looksAtEvents(customerNo: number): Promise<{ events: number; looks: number }> {
  return inTransaction(api.owner(), async (client) => {
    const looks = async (): Promise<number> => {
      const { rows } = await client.query<{ looks: number }>(
        `select (coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::int as looks
         from pg_stat_xact_user_tables where relname = 'events_1'`,
      )
      return rows[0]!.looks
    }
    const before = await looks()
    const [rated] = await rateMonths(client, {
      organizationId: api.client().organizationId,
      months: [{ customerNo, period: '2026-03' }],
    })
    return { events: rated!.events, looks: (await looks()) - before }
  })
}

test('a month is read without its events, unless some have prices of their own or an upload waits to be counted', async () => {
  const plain = await use('plain', 'call')
  expect(await looksAtEvents(plain)).toEqual({ events: 1, looks: 0 })

  const ownPrice = await use('own-price', 'call', '2')
  const read = await looksAtEvents(ownPrice)
  expect(read.events).toBe(1)
  expect(read.looks).toBeGreaterThan(0)
  expect(await looksAtEvents(plain)).toEqual({ events: 1, looks: 0 })

  await api.owner().query(
    `with waiting as (
       insert into uploads (organization_id, filename, state, rows, accepted, created_by, completed_at)
       values ($1, 'waits.csv', 'committed', 1, 1, gen_random_uuid(), now()) returning upload_no
     )
     insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, segment_no)
     select $2, t.event_type_no, '2026-03-06Z', gen_random_uuid(), w.upload_no, 2, 1, 1
     from waiting w, event_types t where t.organization_id = $1 and t.name = 'call'`,
    [api.client().organizationId, plain],
  )
  expect((await looksAtEvents(plain)).events).toBe(2)
  expect((await show('plain').expect(200)).body).toMatchObject({
    event_types: [{ event_type: 'call', quantity: '2.5', events: 2 }],
  })
})
