import { type Pool, type Route, route } from '@billtrail/platform'
import type { Segments } from '../segments/create-segments'
import { createBufferPool } from '../reading/buffer-pool'
import { EventsAnswer, EventsQuery, PostEventsAnswer } from './event.schema'
import { createPostEvents } from './post-events'
import { readEventsBody } from './read-events-body'
import { showEvents, streamEvents } from './show-events'

const tag = 'Events'

export function eventRoutes(deps: { pool: Pool; segments: Segments }): Route[] {
  const { pool } = deps
  const buffers = createBufferPool()
  const postEvents = createPostEvents(deps, buffers)
  return [
    route({
      method: 'post',
      path: '/v1/events',
      summary: 'Send events: one, an array, NDJSON, or CloudEvents',
      description:
        'At most 10,000. Each is stored, or said to be a duplicate, in conflict, or rejected with its reason.',
      tag,
      rawBody: {
        description:
          'An event is {customer_id, event_type, event_id, event_date, quantity?, unit_price?, properties?}',
        contentTypes: [
          'application/json',
          'application/x-ndjson',
          'application/cloudevents+json',
          'application/cloudevents-batch+json',
        ],
      },
      answers: { 201: { description: 'What became of each', schema: PostEventsAnswer } },
      handler: async ({ caller, req, res }) => {
        const body = await readEventsBody(req, buffers)
        const answer = await postEvents(caller.organizationId, body)
        res.once('finish', () => buffers.putBack(answer))
        res.status(201).type('application/json').send(answer)
      },
    }),
    route({
      method: 'get',
      path: '/v1/events',
      summary: 'Events with their file and line',
      description:
        '`Accept: text/csv` streams all that match, as a file that can be uploaded again.',
      tag,
      query: EventsQuery,
      answers: { 200: { description: 'A page', schema: EventsAnswer, contentTypes: ['text/csv'] } },
      handler: async ({ query, caller, req, res }) => {
        if (req.accepts(['application/json', 'text/csv']) === 'text/csv') {
          res.type('text/csv').attachment('events.csv')
          await streamEvents(pool, caller.organizationId, query, res)
          return
        }
        res.json(await showEvents(pool, caller.organizationId, query))
      },
    }),
  ]
}
