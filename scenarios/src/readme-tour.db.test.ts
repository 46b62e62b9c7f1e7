import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { comparable, patternOf, readTour } from './read-tour'
import { REPOSITORY, type RunningProduct, startProduct } from './start-product'

const START_MS = 120_000
const TOUR_MS = 60_000

/** Runs all steps in one shell, as a person would, and returns what each has printed. */
async function runInShell(steps: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'billtrail-tour-'))
  const outputOf = (at: number) => path.join(folder, `${at}`)
  const script = steps.map((commands, at) => `{\n${commands}\n} > '${outputOf(at)}'`).join('\n')
  try {
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: REPOSITORY,
      timeout: TOUR_MS,
    })
    return steps.map((_commands, at) => readFileSync(outputOf(at), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('the tour in the README', () => {
  let product: RunningProduct

  beforeAll(async () => {
    product = await startProduct()
  }, START_MS)
  afterAll(() => product.stop(), START_MS)

  test(
    'prints on a fresh product what it says',
    async () => {
      const markdown = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8')
      const steps = readTour(markdown, 'Five minutes with curl')
      expect(steps.filter((step) => step.printed !== undefined).length).toBeGreaterThan(5)
      const here = (commands: string) =>
        commands
          .replaceAll('http://localhost:8080', product.url)
          .replaceAll('.data/', `${product.dataFolder}/`)

      const outputs = await runInShell(steps.map((step) => here(step.commands)))

      for (const [at, { commands, printed }] of steps.entries()) {
        if (printed === undefined) continue
        const output = comparable(printed.format, outputs[at]!)
        expect({ commands, output }).toEqual({
          commands,
          output: expect.stringMatching(patternOf(printed)) as unknown,
        })
      }
    },
    TOUR_MS + 10_000,
  )
})
