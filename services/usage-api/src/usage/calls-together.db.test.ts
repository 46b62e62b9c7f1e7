import fc from 'fast-check'
import { type ApiClient, useUsageApi } from '../testing/use-usage-api'
import { UsageAnswer } from './usage.schema'

const api = useUsageApi()
const RUNS = 12

/** Every event has its own price of 1, so that a month costs what was used. */
const call = fc.record({
  organization: fc.nat(1),
  customer: fc.constantFrom('a', 'b'),
  id: fc.constantFrom('one', 'two', 'three'),
  quantity: fc.constantFrom('1', '1.0', '2', '35.5'),
})
type Sent = typeof call extends fc.Arbitrary<infer Value> ? Value : never

const keyOf = (sent: Sent): string => `${sent.organization} ${sent.customer} ${sent.id}`
const cents = (text: string): number => Math.round(Number(text) * 100)

let organizations: ApiClient[] = []
beforeAll(async () => {
  organizations = [api.client(), await api.addOrganization('second')]
})

async function register(run: number): Promise<void> {
  for (const organization of organizations) {
    for (const customer of ['a', 'b']) {
      await organization.call('post', '/v1/customers', { id: `${run}-${customer}` }).expect(201)
    }
  }
}

async function send(run: number, sent: Sent) {
  const path = `/v1/customers/${run}-${sent.customer}/usage`
  const answer = await organizations[sent.organization]!.call('post', path, {
    event_type: 'call',
    event_id: sent.id,
    event_date: '2026-03-05',
    unit_price: '1',
    quantity: sent.quantity,
  })
  const read = UsageAnswer.safeParse(answer.body)
  return { sent, status: answer.status, body: read.success ? read.data : undefined }
}

test('calls that arrive together end as if they had come one after the other', async () => {
  let run = 0
  const property = fc.asyncProperty(
    fc.array(call, { minLength: 2, maxLength: 30 }),
    async (all) => {
      run += 1
      await register(run)
      const answers = await Promise.all(all.map((sent) => send(run, sent)))

      // Of each key exactly one was counted; the others are measured by what that one said.
      const counted = new Map<string, number>()
      for (const { sent, status } of answers) {
        if (status !== 201) continue
        expect(counted.has(keyOf(sent))).toBe(false)
        counted.set(keyOf(sent), cents(sent.quantity))
      }
      expect([...counted.keys()].sort()).toEqual([...new Set(all.map(keyOf))].sort())
      for (const { sent, status, body } of answers) {
        const same = counted.get(keyOf(sent)) === cents(sent.quantity)
        expect([sent, status]).toEqual([sent, status === 201 ? 201 : same ? 200 : 409])
        if (status === 409) continue
        expect(body!.duplicate).toBe(status === 200 ? true : undefined)
        expect(cents(body!.month.accumulated_price)).toBeGreaterThanOrEqual(cents(sent.quantity))
      }
      for (const [number, organization] of organizations.entries()) {
        for (const customer of ['a', 'b']) {
          const path = `/v1/customers/${run}-${customer}/usage/2026-03`
          const { body } = await organization.call('get', path).expect(200)
          const total = [...counted]
            .filter(([key]) => key.startsWith(`${number} ${customer} `))
            .reduce((sum, [, quantity]) => sum + quantity, 0)
          expect(body).toMatchObject({ accumulated_price: (total / 100).toFixed(2) })
        }
      }
    },
  )
  await fc.assert(property, { numRuns: RUNS })
})
