import path from 'node:path'
import { useTestBucket, useTestDatabase } from '@billtrail/embedded/testing'
import { makeOrganization } from './make-organization'
import { runStory } from './run-story'
import { type RunningProduct, startProduct } from './start-product'
import { readStories } from './story'

const STORIES = readStories(path.join(__dirname, '..', 'stories'))
const START_MS = 120_000
const STORY_MS = 120_000

describe('a story', () => {
  const database = useTestDatabase()
  const bucket = useTestBucket()
  let product: RunningProduct

  beforeAll(async () => {
    product = await startProduct({
      ...bucket.settings(),
      DATABASE_URL: database.url(),
      AWS_ACCESS_KEY_ID: process.env['AWS_ACCESS_KEY_ID'] ?? '',
      AWS_SECRET_ACCESS_KEY: process.env['AWS_SECRET_ACCESS_KEY'] ?? '',
      // A story bills when it says so, and at no other moment.
      BILLING_INTERVAL_SECONDS: '86400',
    })
  }, START_MS)
  afterAll(() => product.stop(), START_MS)

  test('is there', () => {
    expect(STORIES.length).toBeGreaterThan(0)
  })

  test.each(STORIES.map((story) => [story.title, story] as const))(
    '%s',
    async (_title, story) => {
      const slug = path.basename(story.folder)
      const key = await makeOrganization({ databaseUrl: database.url(), slug })
      await runStory({ url: product.url, key }, story)
    },
    STORY_MS,
  )
})
