import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Writes the header and about half of the rows, drawn by lot; returns how many rows. */
export async function writeHalfOf(file: string, half: string): Promise<number> {
  const out = createWriteStream(half)
  let rows = -1
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (rows >= 0 && Math.random() < 0.5) continue
    rows++
    if (!out.write(`${line}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
  return rows
}
