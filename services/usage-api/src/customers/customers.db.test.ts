import { internCustomers } from '@billtrail/db'
import { z } from 'zod'
import { useUsageApi } from '../testing/use-usage-api'
import { CustomersPage } from './customers.schema'

const api = useUsageApi()
const register = (body: object) => api.client().call('post', '/v1/customers', body)
const show = (id: string) => api.client().call('get', `/v1/customers/${encodeURIComponent(id)}`)
const change = (id: string, body: object) => api.client().call('patch', `/v1/customers/${id}`, body)

test('a customer is registered once, and the same again answers the same', async () => {
  const body = { id: '123', name: 'John Smith', email: 'john@example.com', currency: 'USD' }
  const first = await register(body).expect(201)
  expect(first.headers['location']).toBe('/v1/customers/123')
  expect(first.body).toMatchObject({ ...body, timezone: null })

  const again = await register(body).expect(200)
  expect(again.body).toEqual(first.body)
  expect((await show('123').expect(200)).body).toEqual(first.body)
})

test('the same id with other content is a conflict that names both values', async () => {
  await register({ id: 'c1', name: 'Mary Ford' }).expect(201)
  const refused = await register({ id: 'c1', name: 'Les Paul' }).expect(409)
  expect(refused.body).toMatchObject({
    code: 'customer_exists',
    errors: [{ field: 'name', message: 'is "Mary Ford", sent "Les Paul"' }],
  })
  expect((await show('c1')).body).toMatchObject({ name: 'Mary Ford' })
})

test('eight clients that register one customer at once make one', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => register({ id: 'at-once', name: 'One' })),
  )
  expect(answers.map((answer) => answer.status).sort()).toEqual([
    ...Array<number>(7).fill(200),
    201,
  ])
  const { rows } = await api
    .owner()
    .query("select from audit_log where object_id = 'at-once' and action = 'customer.registered'")
  expect(rows).toHaveLength(1)
})

test('a customer that an upload only named does not show until it is registered', async () => {
  const { organizationId } = api.client()
  await internCustomers(api.owner(), organizationId, [{ id: 'named', name: 'From A File' }])
  await show('named').expect(404)
  await change('named', { name: 'x' }).expect(404)

  const made = await register({ id: 'named', email: 'a@example.com' }).expect(201)
  expect(made.body).toMatchObject({ name: 'From A File', email: 'a@example.com' })
  expect((await register({ id: 'named' }).expect(200)).body).toEqual(made.body)
})

test.each([
  ['an id of blanks', { id: '  ' }, 'id'],
  ['an id with a control character', { id: 'a\u0001b' }, 'id'],
  ['an unknown time zone', { id: 'x', timezone: 'Mars/Olympus' }, 'timezone'],
  ['an offset in place of a time zone', { id: 'x', timezone: '+01:00' }, 'timezone'],
  ['an unknown currency', { id: 'x', currency: 'usd' }, 'currency'],
  ['an address that is none', { id: 'x', email: 'nobody' }, 'email'],
  ['an empty name', { id: 'x', name: '' }, 'name'],
  ['an unknown field', { id: 'x', nam: 'y' }, 'body'],
])('%s is refused by its field', async (_case, body, field) => {
  const refused = await register(body).expect(422)
  expect(refused.headers['content-type']).toMatch('application/problem+json')
  expect(refused.body).toMatchObject({ errors: [{ field }] })
})

test('a name may hold what people paste, and an id any text of files', async () => {
  const made = await register({ id: 'a/b %ü', name: 'Tab\tand\nline' }).expect(201)
  expect((await show('a/b %ü').expect(200)).body).toEqual(made.body)
})

test('absent, null and a value are three things to PATCH', async () => {
  await register({ id: 'p', name: 'Before', email: 'p@example.com' }).expect(201)
  const named = await change('p', { name: 'After' }).expect(200)
  expect(named.body).toMatchObject({ name: 'After', email: 'p@example.com' })
  const cleared = await change('p', { email: null }).expect(200)
  expect(cleared.body).toMatchObject({ name: 'After', email: null })

  const { rows } = await api
    .owner()
    .query(
      `select action, actor, before, after from audit_log where object_id = 'p' order by audit_no`,
    )
  expect(rows).toEqual([
    expect.objectContaining({ action: 'customer.registered', before: null }),
    expect.objectContaining({
      action: 'customer.changed',
      actor: expect.stringMatching(/^key:/) as string,
      before: { name: 'Before', email: 'p@example.com', currency: null, timezone: null },
      after: { name: 'After', email: 'p@example.com', currency: null, timezone: null },
    }),
    expect.objectContaining({ action: 'customer.changed' }),
  ])
})

test('a PATCH that changes nothing leaves no audit row', async () => {
  await register({ id: 'same', name: 'Same' }).expect(201)
  await change('same', { name: 'Same' }).expect(200)
  await change('same', {}).expect(200)
  const { rows } = await api.owner().query("select from audit_log where object_id = 'same'")
  expect(rows).toHaveLength(1)
})

test('customers are listed by the bytes of their ids, page by page, and found by name', async () => {
  const other = await api.addOrganization('listing')
  for (const id of ['b', 'a', 'Z', '10', 'é']) {
    await other.call('post', '/v1/customers', { id, name: `Name ${id} 100%` }).expect(201)
  }
  const list = async (query: string) =>
    CustomersPage.parse((await other.call('get', `/v1/customers?${query}`).expect(200)).body)
  const ids: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Awaited<ReturnType<typeof list>> = await list(
      `limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    ids.push(...page.data.map((customer) => customer.id))
    cursor = page.next_cursor
  }
  expect(ids).toEqual(['10', 'Z', 'a', 'b', 'é'])
  const found = async (name: string): Promise<string[]> =>
    (await list(`name=${encodeURIComponent(name)}`)).data.map((customer) => customer.id)
  expect(await found('name A')).toEqual(['a'])
  expect(await found('100%')).toHaveLength(5)
  expect(await found('1_0')).toEqual([])
  await other.call('get', '/v1/customers?cursor=nonsense').expect(422)
})

test("another organization's customer is not found, and its id is free", async () => {
  await register({ id: 'ours', name: 'Ours' }).expect(201)
  const other = await api.addOrganization('stranger')
  await other.call('get', '/v1/customers/ours').expect(404)
  await other.call('patch', '/v1/customers/ours', { name: 'Theirs' }).expect(404)
  await other.call('post', '/v1/customers', { id: 'ours', name: 'Theirs' }).expect(201)
  expect((await show('ours')).body).toMatchObject({ name: 'Ours' })
})

test('without a key nothing is told', async () => {
  await api.anonymous('/v1/customers').expect(401)
  await api.anonymous('/health/ready').expect(200)
  const document = await api.anonymous('/openapi.json').expect(200)
  const { paths } = z.object({ paths: z.record(z.string(), z.unknown()) }).parse(document.body)
  expect(Object.keys(paths).sort()).toEqual([
    '/v1/customers',
    '/v1/customers/{id}',
    '/v1/customers/{id}/usage',
    '/v1/customers/{id}/usage/{period}',
    '/v1/usage',
  ])
})
