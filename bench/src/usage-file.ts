import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'

/** The three shapes of file that an upload must be fast on. */
export type Shape = 'few_customers' | 'many_customers' | 'wide'

export const SHAPES: Readonly<Record<Shape, { customers: number; isWide: boolean }>> = {
  few_customers: { customers: 100, isWide: false },
  many_customers: { customers: 400_000, isWide: false },
  wide: { customers: 100, isWide: true },
}

const MONTH_START = Date.UTC(2026, 9, 1)
const MONTH_MS = 31 * 24 * 3600 * 1000
const REGIONS = ['eu-central-1', 'us-east-1', 'ap-south-1', 'sa-east-1']
const TYPES = ['api_call', 'storage', 'egress', 'compute', 'login']

/** A small, fast, seeded generator: the same seed gives the same file but for its random event ids. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function uuid(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

export const columnsOf = (shape: Shape): string =>
  `customer_id,event_type,event_id,event_date${SHAPES[shape].isWide ? ',quantity,unit_price,region,path,device' : ''}`

/** Writes a file of usage with random UUIDs for ids, of October 2026, or of so many months before it; about 100 bytes a row. */
export async function writeUsageFile(
  file: string,
  options: { rows: number; shape: Shape; seed: number; monthsBefore?: number },
): Promise<void> {
  const { customers, isWide } = SHAPES[options.shape]
  const { monthsBefore = 0 } = options
  const start = Date.UTC(2026, 9 - monthsBefore, 1)
  const span = monthsBefore === 0 ? MONTH_MS : MONTH_START - start
  const next = sequence(options.seed)
  const out = createWriteStream(file)
  out.write(`${columnsOf(options.shape)}\n`)
  const PER_WRITE = 2_000
  for (let row = 0; row < options.rows; row += PER_WRITE) {
    const count = Math.min(PER_WRITE, options.rows - row)
    const ids = randomBytes(16 * count)
    let text = ''
    for (let i = 0; i < count; i++) {
      const customer = `customer-${String(Math.floor(next() * customers)).padStart(7, '0')}`
      const type = TYPES[Math.floor(next() * TYPES.length)]
      const date = new Date(start + Math.floor(next() * span)).toISOString()
      text += `${customer},${type},${uuid(ids, 16 * i)},${date}`
      if (isWide) {
        const quantity = (next() * 1000).toFixed(3)
        const region = REGIONS[Math.floor(next() * REGIONS.length)]
        text += `,${quantity},0.0${Math.floor(next() * 89) + 10},${region},/v1/things/${Math.floor(next() * 50)},phone`
      }
      text += '\n'
    }
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}
