import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** One call of the API, and what it must answer. */
export interface CallStep {
  /** Method and path, `GET /v1/customers/123`. `{name}` stands for a kept value. */
  readonly call: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** A file of the story, sent as the body itself. Needs a content-type in `headers`. */
  readonly body_file?: string
  /** A file of the story, sent as the field `file` of a form. */
  readonly upload?: string
  /** Any of 2xx where absent. */
  readonly status?: number
  /** Part of the JSON answer: objects may have more fields, lists have these entries and no other. */
  readonly answer?: unknown
  /** A file of the story that is byte for byte the answer. */
  readonly answer_file?: string
  /** Names for values of the answer, by their path: `{"invoice": "data.0.id"}`. */
  readonly keep?: Readonly<Record<string, string>>
}

/** One billing run, waited for until it has completed and its checks balance. */
export interface BillStep {
  readonly bill: string
  readonly finalize?: boolean
  /** Part of the finished run. */
  readonly answer?: unknown
}

export type Step = (CallStep | BillStep) & { readonly say: string }

export interface Story {
  readonly folder: string
  /** What this story shows, as a sentence. */
  readonly title: string
  readonly steps: readonly Step[]
}

const STORY_FIELDS = ['title', 'why', 'steps']
const BILL_FIELDS = ['say', 'bill', 'finalize', 'answer']
const CALL_FIELDS = [
  'say',
  'call',
  'headers',
  'body',
  'body_file',
  'upload',
  'status',
  'answer',
  'answer_file',
  'keep',
]

function onlyFields(where: string, object: object, fields: readonly string[]): void {
  const unknown = Object.keys(object).filter((field) => !fields.includes(field))
  // A misspelt expectation would otherwise pass for ever.
  if (unknown.length > 0) throw new Error(`${where} has a field that means nothing: ${unknown[0]}`)
}

/** Reads `story.json` of a folder. Throws when it holds anything that the runner would not look at. */
export function readStory(folder: string): Story {
  const file = path.join(folder, 'story.json')
  const story = JSON.parse(readFileSync(file, 'utf8')) as Omit<Story, 'folder'>
  onlyFields(file, story, STORY_FIELDS)
  if (!story.title || !(story.steps.length > 0)) throw new Error(`${file} has no title or no steps`)
  for (const step of story.steps) {
    onlyFields(`${file}: "${step.say}"`, step, 'bill' in step ? BILL_FIELDS : CALL_FIELDS)
    if (!step.say) throw new Error(`${file} has a step that says nothing`)
  }
  return { ...story, folder }
}

/** Every story under a folder, by name. */
export function readStories(folder: string): Story[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => readStory(path.join(folder, name)))
}
