import { quote, QuoteRequest, QuoteResponse } from '@billtrail/contracts'
import { route, type Route } from '@billtrail/platform'

/** Prices are pure: nothing here asks the database. */
export function priceRoutes(): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/prices/quote',
      summary: 'What usage would cost by a price',
      description: 'The rating function itself, with the arithmetic of its lines.',
      tag: 'Prices',
      body: QuoteRequest,
      bodyBytesMax: 4 * 1024 * 1024,
      answers: { 200: { description: 'The amount and its lines', schema: QuoteResponse } },
      handler: ({ body, res }) => {
        res.json(quote(body))
      },
    }),
  ]
}
