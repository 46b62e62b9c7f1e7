import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { InvoiceDeps } from '../invoice-deps'
import {
  changeTaxRate,
  createTaxRate,
  getCustomerTaxes,
  getTaxRate,
  pageOfTaxRates,
  putCustomerTaxes,
} from './manage-tax-rates'
import {
  CustomerParams,
  CustomerTaxesAnswer,
  CustomerTaxesBody,
  NewTaxRateBody,
  TaxRateAnswer,
  TaxRateChangesBody,
  TaxRateParams,
  TaxRatesPage,
  TaxRatesQuery,
  type TaxRate,
} from './tax-rates.schema'

const tag = 'Taxes'
const CursorKey = z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()])
const itself = (rate: TaxRate): TaxRate => rate

export function taxRateRoutes(deps: InvoiceDeps): Route[] {
  const { pool } = deps
  return [
    route({
      method: 'post',
      path: '/v1/tax-rates',
      summary: 'Make a tax rate',
      description: 'On the sum of rounded lines; what it says never changes.',
      tag,
      body: NewTaxRateBody,
      answers: { 201: { description: 'Made', schema: TaxRateAnswer } },
      handler: async ({ body, caller, res }) => {
        const rate = await createTaxRate(pool, caller, body)
        res.status(201).location(`/v1/tax-rates/${rate.id}`).json(rate)
      },
    }),
    route({
      method: 'get',
      path: '/v1/tax-rates',
      summary: 'List tax rates',
      tag,
      query: TaxRatesQuery,
      answers: { 200: { description: 'The oldest first', schema: TaxRatesPage } },
      handler: async ({ query, caller, res }) => {
        const after = decodeCursor(query.cursor, CursorKey)
        const rows = await pageOfTaxRates(pool, caller, { limit: query.limit, after })
        res.json(pageOf(rows, query.limit, itself, (rate) => [rate.created_at, rate.id]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/tax-rates/:id',
      summary: 'Show a tax rate',
      tag,
      params: TaxRateParams,
      answers: { 200: { description: 'The rate', schema: TaxRateAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(await getTaxRate(pool, caller, params.id))
      },
    }),
    ...changeRoutes(deps),
  ]
}

function changeRoutes({ pool }: InvoiceDeps): Route[] {
  return [
    route({
      method: 'patch',
      path: '/v1/tax-rates/:id',
      summary: 'Make a tax rate a default, or not',
      tag,
      params: TaxRateParams,
      body: TaxRateChangesBody,
      answers: { 200: { description: 'As it is now', schema: TaxRateAnswer } },
      handler: async ({ params, body, caller, res }) => {
        const change = { id: params.id, isDefault: body.default }
        res.json(await changeTaxRate(pool, caller, change))
      },
    }),
    route({
      method: 'get',
      path: '/v1/customers/:id/tax-rates',
      summary: "A customer's tax rates",
      tag,
      params: CustomerParams,
      answers: { 200: { description: 'Its own, or the defaults', schema: CustomerTaxesAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(await getCustomerTaxes(pool, caller, params.id))
      },
    }),
    route({
      method: 'put',
      path: '/v1/customers/:id/tax-rates',
      summary: 'Give a customer tax rates of its own',
      tag,
      params: CustomerParams,
      body: CustomerTaxesBody,
      answers: { 200: { description: 'As it is now', schema: CustomerTaxesAnswer } },
      handler: async ({ params, body, caller, res }) => {
        const change = { customerId: params.id, ids: body.tax_rate_ids }
        res.json(await putCustomerTaxes(pool, caller, change))
      },
    }),
  ]
}
