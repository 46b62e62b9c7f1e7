import { type Pool, type Route, route } from '@billtrail/platform'
import { LedgerAnswer, LedgerQuery } from './ledger.schema'
import { showLedger } from './show-ledger'

export function ledgerRoutes({ pool }: { pool: Pool }): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/ledger',
      summary: 'The conservation ledger: every row has a fate, every quantity is billed or waiting',
      tag: 'Ledger',
      query: LedgerQuery,
      answers: { 200: { description: 'Balanced, or where it is not', schema: LedgerAnswer } },
      handler: async ({ query, caller, res }) => {
        res.json(await showLedger(pool, caller.organizationId, query.period))
      },
    }),
  ]
}
