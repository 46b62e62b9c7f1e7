import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { UsageDeps } from '../usage-deps'
import { changeCustomer } from './change-customer'
import {
  CustomerBody,
  CustomerChangesBody,
  CustomerParams,
  CustomersPage,
  CustomersQuery,
  NewCustomerBody,
} from './customers.schema'
import { getCustomer, pageOfCustomers } from './get-customers'
import { presentCustomer } from './present-customer'
import { registerCustomer } from './register-customer'

const tag = 'customers'
const CursorKey = z.tuple([z.string()])

export function customerRoutes(deps: UsageDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/customers',
      summary: 'Register a customer',
      description: 'A customer that usage named already is registered with what is given here.',
      tag,
      body: NewCustomerBody,
      answers: {
        201: { description: 'Registered', schema: CustomerBody },
        200: {
          description: 'It was registered before, with the same content',
          schema: CustomerBody,
        },
        409: { description: '`customer_exists`: registered before, with other content' },
      },
      handler: async ({ body, caller, res }) => {
        const { customer, created } = await registerCustomer(deps, caller, body)
        res
          .status(created ? 201 : 200)
          .location(`/v1/customers/${encodeURIComponent(customer.id)}`)
          .json(presentCustomer(customer))
      },
    }),
    route({
      method: 'get',
      path: '/v1/customers',
      summary: 'List customers',
      tag,
      query: CustomersQuery,
      answers: { 200: { description: 'By id, ascending by its bytes', schema: CustomersPage } },
      handler: async ({ query, caller, res }) => {
        const [after] = decodeCursor(query.cursor, CursorKey) ?? []
        const rows = await pageOfCustomers(deps, caller, { ...query, after })
        res.json(pageOf(rows, query.limit, presentCustomer, (customer) => [customer.id]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/customers/:id',
      summary: 'Show a customer',
      tag,
      params: CustomerParams,
      answers: { 200: { description: 'The customer', schema: CustomerBody } },
      handler: async ({ params, caller, res }) => {
        res.json(presentCustomer(await getCustomer(deps, caller, params.id)))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/customers/:id',
      summary: 'Change a customer',
      description:
        'What is absent stays, null clears. Another time zone moves usage between months: it is counted anew.',
      tag,
      params: CustomerParams,
      body: CustomerChangesBody,
      answers: { 200: { description: 'As it is now', schema: CustomerBody } },
      handler: async ({ params, body, caller, res }) => {
        res.json(presentCustomer(await changeCustomer(deps, caller, params.id, body)))
      },
    }),
  ]
}
