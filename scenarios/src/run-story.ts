import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { patternOf } from './read-tour'
import type { BillStep, CallStep, Step, Story } from './story'

/** Where a story happens: a running product and the key of an organization that nothing has touched. */
export interface Stage {
  readonly url: string
  readonly key: string
}

type HeaderFields = Readonly<Record<string, string>>
type RequestBody = string | Uint8Array<ArrayBuffer> | FormData

interface Answer {
  readonly status: number
  readonly bytes: Buffer
}

const RUN_MS = 60_000
const POLL_MS = 50

/** Tells a story to the product, step by step, and compares each answer with what the story expects. */
export async function runStory(stage: Stage, story: Story): Promise<void> {
  const kept = new Map<string, string>()
  for (const step of story.steps) {
    const where = `${path.basename(story.folder)}: ${step.say}`
    if ('bill' in step) await bill(stage, step, where)
    else await call(stage, { step, story, kept, where })
  }
}

/** An expectation in which each text that holds `…` becomes a pattern. */
function expected(value: unknown): unknown {
  if (typeof value === 'string' && value.includes('…')) {
    return expect.stringMatching(patternOf({ format: 'text', text: value }))
  }
  if (Array.isArray(value)) return value.map(expected)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, expected(field)]))
}

const jsonOf = (answer: Answer): unknown =>
  answer.bytes.length === 0 ? undefined : JSON.parse(answer.bytes.toString('utf8'))

function filled(template: string, kept: ReadonlyMap<string, string>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = kept.get(name)
    if (value === undefined) throw new Error(`Nothing was kept as {${name}}.`)
    return value
  })
}

async function send(
  stage: Stage,
  request: { method: string; target: string; headers?: HeaderFields; body?: RequestBody },
): Promise<Answer> {
  const headers = new Headers(request.headers)
  headers.set('authorization', `Bearer ${stage.key}`)
  const answer = await fetch(`${stage.url}${request.target}`, {
    method: request.method,
    headers,
    ...(request.body === undefined ? {} : { body: request.body }),
  })
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
}

function bodyOf(step: CallStep, story: Story): { body?: RequestBody; headers?: HeaderFields } {
  const file = (name: string) => new Uint8Array(readFileSync(path.join(story.folder, name)))
  if (step.upload !== undefined) {
    const form = new FormData()
    form.append('file', new Blob([file(step.upload)], { type: 'text/csv' }), step.upload)
    return { body: form }
  }
  if (step.body_file !== undefined) return { body: file(step.body_file) }
  if (step.body === undefined) return {}
  return { body: JSON.stringify(step.body), headers: { 'content-type': 'application/json' } }
}

async function call(
  stage: Stage,
  told: { step: CallStep & Step; story: Story; kept: Map<string, string>; where: string },
): Promise<void> {
  const { step, story, kept, where } = told
  const [method, target] = filled(step.call, kept).split(' ')
  const { body, headers } = bodyOf(step, story)
  const answer = await send(stage, {
    method: method!,
    target: target!,
    headers: { ...headers, ...step.headers },
    ...(body === undefined ? {} : { body }),
  })
  const said = answer.bytes.toString('utf8')
  const good = step.status ?? (answer.status >= 200 && answer.status < 300 ? answer.status : '2xx')
  expect({ where, status: answer.status, said }).toMatchObject({ where, status: good })
  if (step.answer !== undefined)
    expect({ where, answer: jsonOf(answer) }).toMatchObject({
      where,
      answer: expected(step.answer),
    })
  if (step.answer_file !== undefined) {
    const file = readFileSync(path.join(story.folder, step.answer_file))
    expect({ where, text: said }).toEqual({ where, text: file.toString('utf8') })
    expect(answer.bytes.equals(file)).toBe(true)
  }
  for (const [name, place] of Object.entries(step.keep ?? {})) {
    kept.set(name, valueAt(jsonOf(answer), place, where))
  }
}

function valueAt(json: unknown, place: string, where: string): string {
  let value = json
  for (const field of place.split('.'))
    value = (value as Record<string, unknown> | undefined)?.[field]
  if (typeof value !== 'string') throw new Error(`${where}: there is no text at ${place}.`)
  return value
}

interface Run {
  readonly id: string
  readonly state: string
  readonly checks?: { readonly balanced?: boolean }
}

async function bill(stage: Stage, step: BillStep & Step, where: string): Promise<void> {
  const { body, headers } = {
    body: JSON.stringify({ period: step.bill, ...(step.finalize ? { finalize: true } : {}) }),
    headers: { 'content-type': 'application/json' },
  }
  const asked = await send(stage, { method: 'POST', target: '/v1/billing-runs', body, headers })
  expect({ where, status: asked.status, said: asked.bytes.toString('utf8') }).toMatchObject({
    where,
    status: 202,
  })
  const { id } = jsonOf(asked) as Run
  const deadline = Date.now() + RUN_MS
  for (;;) {
    const run = jsonOf(
      await send(stage, { method: 'GET', target: `/v1/billing-runs/${id}` }),
    ) as Run
    if (run.state === 'completed') {
      expect({ where, run }).toMatchObject({ where, run: { checks: { balanced: true } } })
      if (step.answer !== undefined)
        expect({ where, run }).toMatchObject({ where, run: expected(step.answer) })
      return
    }
    if (run.state === 'failed' || Date.now() > deadline) {
      throw new Error(`${where}: the run did not complete: ${JSON.stringify(run)}`)
    }
    await delay(POLL_MS)
  }
}
