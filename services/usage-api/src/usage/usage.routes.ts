import { DomainError } from '@billtrail/domain'
import { route, type Route } from '@billtrail/platform'
import type { UsageDeps } from '../usage-deps'
import { recordUsage } from './record-usage'
import { showMonth } from './show-month'
import { MonthAnswer, MonthParams, UsageAnswer, UsageBody, UsageParams } from './usage.schema'

const tag = 'usage'
const KEY_LENGTH_MAX = 255

/** Throws `invalid_idempotency_key`. */
function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (header.length > 0 && header.length <= KEY_LENGTH_MAX) return header
  throw new DomainError(
    'invalid',
    'invalid_idempotency_key',
    `Idempotency-Key takes 1 to ${KEY_LENGTH_MAX} characters.`,
    [{ field: 'Idempotency-Key', message: `takes 1 to ${KEY_LENGTH_MAX} characters` }],
  )
}

export function usageRoutes(deps: UsageDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/customers/:id/usage',
      summary: 'Record usage',
      description:
        'Counts one event of the customer. Send it again, by the same event_id or the same Idempotency-Key header, and nothing is counted twice. With an event_id the header is not looked at.',
      tag,
      params: UsageParams,
      body: UsageBody,
      answers: {
        201: { description: 'Counted', schema: UsageAnswer },
        200: { description: 'Known before, with the same content', schema: UsageAnswer },
        409: { description: '`event_conflict`: known before, with other content' },
      },
      handler: async ({ params, body, caller, req, res }) => {
        const answer = await recordUsage(deps, caller, {
          customer: params.id,
          input: body,
          idempotencyKey: idempotencyKeyOf(req.get('idempotency-key')),
        })
        res.status(answer.duplicate ? 200 : 201).json(answer)
      },
    }),
    route({
      method: 'get',
      path: '/v1/customers/:id/usage/:period',
      summary: "Show a customer's month",
      tag,
      params: MonthParams,
      answers: { 200: { description: 'The month; zeros without usage', schema: MonthAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(await showMonth(deps, caller, params))
      },
    }),
  ]
}
