import { once } from 'node:events'
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, IngestClient, Upload } from './ingest-client'

export interface SlowUpload {
  write(text: string | Buffer): Promise<void>
  /** Sends the rest and answers with what came back. */
  end(text?: string): Promise<Answer>
  /** Goes away in the middle. */
  vanish(): void
  readonly request: ClientRequest
}

async function answerIn(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const headers = new Headers()
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers.set(name, String(value))
  }
  const isJson = /json/.test(headers.get('content-type') ?? '')
  const body: unknown = isJson ? JSON.parse(text) : undefined
  return { status: response.statusCode ?? 0, headers, text, body }
}

/** Opens an upload whose body the test writes piece by piece. */
export function openSlowUpload(
  address: string,
  key: string,
  options: { path?: string; headers?: Readonly<Record<string, string>>; agent?: Agent } = {},
): SlowUpload {
  const sent = request(`${address}${options.path ?? '/v1/uploads'}`, {
    method: 'POST',
    ...(options.agent ? { agent: options.agent } : {}),
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'text/csv',
      'transfer-encoding': 'chunked',
      ...options.headers,
    },
  })
  const answered = once(sent, 'response').then(([response]) =>
    answerIn(response as IncomingMessage),
  )
  // Whoever vanishes hears of it too, and does not care.
  answered.catch(() => undefined)
  return {
    request: sent,
    write: (text) =>
      new Promise((resolve, reject) => {
        sent.write(text, (error) => (error ? reject(error) : resolve()))
      }),
    end(text) {
      sent.end(text)
      return answered
    },
    vanish: () => sent.destroy(),
  }
}

/** Asks until the answer is there; throws after 20 s. Waiting for what another process does has no event. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const giveUpAt = Date.now() + 20_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > giveUpAt) throw new Error('It did not come about within 20 s.')
    await delay(25)
  }
}

/** The newest upload of an organization, once it is in this state. */
export const newestOnce = (client: IngestClient, state: Upload['state']): Promise<Upload> =>
  until(async () => (await client.uploads()).slice(0, 1).find((upload) => upload.state === state))
