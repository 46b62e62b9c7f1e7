import { route, type Route } from '@billtrail/platform'
import type { InvoiceDeps } from '../invoice-deps'
import { changeOrganization, getOrganization } from './change-organization'
import { OrganizationBody, OrganizationChangesBody } from './organization.schema'

const tag = 'Organization'

export function organizationRoutes({ pool }: InvoiceDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/organization',
      summary: "The key's organization and its settings",
      tag,
      answers: { 200: { description: 'The organization', schema: OrganizationBody } },
      handler: async ({ caller, res }) => {
        res.json(await getOrganization(pool, caller))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/organization',
      summary: 'Change settings',
      description: 'What is left out stays as it is.',
      tag,
      body: OrganizationChangesBody,
      answers: {
        200: { description: 'The organization as it is now', schema: OrganizationBody },
        409: { description: '`slug_taken`' },
      },
      handler: async ({ body, caller, res }) => {
        res.json(await changeOrganization(pool, caller, body))
      },
    }),
  ]
}
