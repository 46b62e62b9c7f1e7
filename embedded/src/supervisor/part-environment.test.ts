import { spawnSync } from 'node:child_process'
import { INGEST_NODE_OPTIONS, withNodeOptions } from './part-environment'

const runNode = (env: NodeJS.ProcessEnv, script: string) =>
  spawnSync(process.execPath, ['-p', script], { env, encoding: 'utf8' })

// Keeps less than it makes, long enough for the young generation to grow as far as it may.
const GROW = `
  let kept = []
  for (let i = 0; i < 3e6; i++) { kept.push({ i, text: 'x' + i }); if (kept.length > 20_000) kept = [] }
  require('v8').getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20`

test('the options of ingest-api keep its young objects small, and give way to what a person has set', () => {
  const ours = withNodeOptions({}, INGEST_NODE_OPTIONS)
  expect(Number(runNode(ours, GROW).stdout)).toBeLessThanOrEqual(12)

  const theirs = withNodeOptions({ NODE_OPTIONS: '--max-semi-space-size=16' }, INGEST_NODE_OPTIONS)
  expect(theirs['NODE_OPTIONS']).toBe(`${INGEST_NODE_OPTIONS} --max-semi-space-size=16`)
  expect(Number(runNode(theirs, GROW).stdout)).toBeGreaterThan(12)
})
