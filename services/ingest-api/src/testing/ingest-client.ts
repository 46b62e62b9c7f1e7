import { createOrganization, ensureAdminKey, newKey } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'
import type { z } from 'zod'
import { EventsAnswer, PostEventsAnswer } from '../events/event.schema'
import { ConflictsAnswer, RejectsAnswer, UploadAnswer } from '../uploads/upload.schema'

/** What came back: nothing is known of its body until it is compared or parsed. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

export type Upload = z.output<typeof UploadAnswer>

export interface Sending {
  readonly body?: string | Buffer | FormData
  readonly headers?: Readonly<Record<string, string>>
}

/** One organization's view of the service. */
export interface IngestClient {
  readonly organizationId: string
  readonly key: string
  call(method: string, path: string, sending?: Sending): Promise<Answer>
  /** Sends a raw CSV body; `query` is what follows the question mark. */
  send(file: string | Buffer, query?: string, headers?: Sending['headers']): Promise<Answer>
  /** The same, and it is stored. */
  upload(file: string | Buffer, query?: string, headers?: Sending['headers']): Promise<Upload>
  /** The same, and it is refused; checks that the answer is problem+json. */
  refused(file: string | Buffer, query?: string, headers?: Sending['headers']): Promise<Problem>
  uploads(): Promise<Upload[]>
  rejects(upload: Upload): Promise<z.output<typeof RejectsAnswer>['data']>
  conflicts(upload: Upload): Promise<z.output<typeof ConflictsAnswer>['data']>
  /** Sends events as JSON. */
  postEvents(events: unknown): Promise<z.output<typeof PostEventsAnswer>>
  events(query?: string): Promise<z.output<typeof EventsAnswer>['data']>
}

export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors: readonly { readonly field: string; readonly message: string }[]
  readonly retryAfter: string | null
}

/** The problem in an answer; throws when it is not one. */
export function problemIn(answer: Answer): Problem {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  const body = answer.body as Partial<Problem>
  expect(body).toMatchObject({
    status: answer.status,
    code: expect.stringMatching(/^[a-z0-9_]+$/) as unknown,
    detail: expect.stringMatching(/\S/) as unknown,
  })
  return {
    status: answer.status,
    code: body.code!,
    detail: body.detail!,
    errors: body.errors ?? [],
    retryAfter: answer.headers.get('retry-after'),
  }
}

async function call(address: string, method: string, path: string, key: string, sent: Sending) {
  const response = await fetch(`${address}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...sent.headers },
    ...(sent.body === undefined ? {} : { body: sent.body }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  const body: unknown = isJson ? JSON.parse(text) : undefined
  return { status: response.status, headers: response.headers, text, body }
}

/** The client of an organization that is known already. */
export function clientOf(
  address: () => string,
  caller: { organizationId: string; key: string },
): IngestClient {
  const ask = (method: string, path: string, sending: Sending = {}): Promise<Answer> =>
    call(address(), method, path, caller.key, sending)
  const send: IngestClient['send'] = (file, query = '', headers = {}) =>
    ask('POST', `/v1/uploads?${query}`, {
      body: file,
      headers: { 'content-type': 'text/csv', ...headers },
    })
  const list = async <T extends z.ZodType>(path: string, schema: T): Promise<z.output<T>> => {
    const answer = await ask('GET', path)
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
    return schema.parse(answer.body)
  }
  return {
    ...caller,
    call: ask,
    send,
    async upload(file, query, headers) {
      const answer = await send(file, query, headers)
      expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 })
      const upload = UploadAnswer.parse(answer.body)
      expect(answer.headers.get('location')).toBe(`/v1/uploads/${upload.id}`)
      return upload
    },
    refused: async (file, query, headers) => problemIn(await send(file, query, headers)),
    async uploads() {
      const answer = await ask('GET', '/v1/uploads?limit=1000')
      return UploadAnswer.array().parse((answer.body as { data: unknown }).data)
    },
    rejects: async (upload) =>
      (await list(`/v1/uploads/${upload.id}/rejects?limit=1000`, RejectsAnswer)).data,
    conflicts: async (upload) =>
      (await list(`/v1/uploads/${upload.id}/conflicts?limit=1000`, ConflictsAnswer)).data,
    async postEvents(events) {
      const answer = await ask('POST', '/v1/events', {
        body: JSON.stringify(events),
        headers: { 'content-type': 'application/json' },
      })
      expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 })
      return PostEventsAnswer.parse(answer.body)
    },
    events: async (query = 'limit=1000') => (await list(`/v1/events?${query}`, EventsAnswer)).data,
  }
}

/** Makes an organization with a key of its own. */
export async function addOrganization(
  sql: Sql,
  slug: string,
): Promise<{ organizationId: string; key: string }> {
  const organizationId = await createOrganization(sql, { slug })
  const key = newKey()
  await ensureAdminKey(sql, { organizationId, key })
  return { organizationId, key }
}
