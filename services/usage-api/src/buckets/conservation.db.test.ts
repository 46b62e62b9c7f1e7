import { internCustomers, internEventTypes, recordEvents } from '@billtrail/db'
import { type Bucket, BUCKETS, bucketStarts, eventKey, instantText } from '@billtrail/domain'
import fc from 'fast-check'
import { useUsageApi } from '../testing/use-usage-api'
import { BucketsAnswer } from './buckets.schema'

const api = useUsageApi()

/** Nights in which clocks change, and a calendar that skips a day. */
const NIGHTS = [
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Asia/Kolkata', '2026-01-31T18:30:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
] as const

const HOURS_AROUND = 36
const EVENTS = 150
const micros = (text: string): number => Date.parse(text) * 1000

async function recordAround(id: string, instants: readonly number[]): Promise<void> {
  const { organizationId } = api.client()
  const [customerNo] = await internCustomers(api.owner(), organizationId, [{ id, name: null }])
  const [eventTypeNo] = await internEventTypes(api.owner(), organizationId, ['call'])
  await recordEvents(
    api.owner(),
    instants.map((instant, at) => ({
      customerNo: customerNo!,
      eventTypeNo: eventTypeNo!,
      eventKey: eventKey(`${at}`),
      eventId: `${at}`,
      eventDate: instantText(instant),
      quantity: '1',
      unitPrice: null,
      properties: null,
    })),
  )
}

test.each(NIGHTS)(
  'in %s around %s every event is in exactly one bucket, the right one',
  async (zone, night) => {
    const id = `${zone} ${night}`
    const middle = micros(night)
    const around = HOURS_AROUND * 3_600_000_000
    const instants = fc.sample(fc.integer({ min: middle - around, max: middle + around }), EVENTS)
    await recordAround(id, instants)
    // It shows although nobody registered it: it has usage.
    const path = `/v1/customers/${encodeURIComponent(id)}`
    const shown = await api.client().call('patch', path, { timezone: zone }).expect(200)
    expect(shown.body).toMatchObject({ id, registered_at: null, timezone: zone })

    const counted = async (bucket: Bucket): Promise<[string, number][]> => {
      const { body } = await api
        .client()
        .call('get', `${path}/usage?bucket=${bucket}&fill=zero`)
        .expect(200)
      return BucketsAnswer.parse(body).data.map((row) => [row.start, row.events])
    }
    for (const bucket of BUCKETS) {
      const start = new Date(Math.floor(Math.min(...instants) / 1000))
      const end = new Date(Math.floor(Math.max(...instants) / 1000) + 1)
      const starts = bucketStarts({ bucket, zone, start, end }).map((date) => date.getTime() * 1000)
      expect(await counted(bucket)).toEqual(
        starts.map((from, at) => [
          instantText(from),
          instants.filter((instant) => instant >= from && instant < (starts[at + 1] ?? Infinity))
            .length,
        ]),
      )
    }
  },
)
