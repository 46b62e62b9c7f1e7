import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { CatalogueDeps } from '../catalogue-deps'
import {
  changeVersion,
  createVersion,
  getVersion,
  moveVersion,
  pageOfVersions,
} from './manage-versions'
import {
  NewVersionBody,
  PlanParams,
  VersionAnswer,
  VersionChangesBody,
  VersionParams,
  VersionsPage,
  VersionsQuery,
} from './plans.schema'
import { presentVersion } from './present-plan'

const tag = 'Catalogue'
const CursorKey = z.tuple([z.int()])
const BODY_BYTES_MAX = 4 * 1024 * 1024
const invalid = { description: '`invalid_plan`: every fault by its path' }

export function planVersionRoutes(deps: CatalogueDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/plans/:id/versions',
      summary: "Make a plan's next version",
      description: 'A draft, or with `activate` the active one; the one before is retired.',
      tag,
      params: PlanParams,
      body: NewVersionBody,
      bodyBytesMax: BODY_BYTES_MAX,
      answers: { 201: { description: 'Made', schema: VersionAnswer }, 422: invalid },
      handler: async ({ params, body, caller, res }) => {
        const view = await createVersion(deps, caller, { idOrCode: params.id, sent: body })
        res
          .status(201)
          .location(`/v1/plans/${view.plan.id}/versions/${view.version.version}`)
          .json(presentVersion(view))
      },
    }),
    route({
      method: 'get',
      path: '/v1/plans/:id/versions',
      summary: "List a plan's versions",
      tag,
      params: PlanParams,
      query: VersionsQuery,
      answers: { 200: { description: 'The newest first', schema: VersionsPage } },
      handler: async ({ params, query, caller, res }) => {
        const [before] = decodeCursor(query.cursor, CursorKey) ?? []
        const { limit } = query
        const rows = await pageOfVersions(deps, caller, { idOrCode: params.id, limit, before })
        res.json(pageOf(rows, limit, presentVersion, ({ version }) => [version.version]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/plans/:id/versions/:version',
      summary: 'Show a version of a plan',
      tag,
      params: VersionParams,
      answers: { 200: { description: 'The version', schema: VersionAnswer } },
      handler: async ({ params, caller, res }) => {
        const key = { idOrCode: params.id, version: params.version }
        res.json(presentVersion(await getVersion(deps, caller, key)))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/plans/:id/versions/:version',
      summary: 'Change a draft',
      tag,
      params: VersionParams,
      body: VersionChangesBody,
      bodyBytesMax: BODY_BYTES_MAX,
      answers: {
        200: { description: 'As it is now', schema: VersionAnswer },
        409: { description: '`plan_version_frozen`: it is no draft' },
        422: invalid,
      },
      handler: async ({ params, body, caller, res }) => {
        const key = { idOrCode: params.id, version: params.version }
        res.json(presentVersion(await changeVersion(deps, caller, { key, changes: body })))
      },
    }),
    ...moveRoutes(deps),
  ]
}

function moveRoutes(deps: CatalogueDeps): Route[] {
  return (['activate', 'retire'] as const).map((verb) =>
    route({
      method: 'post',
      path: `/v1/plans/:id/versions/:version/${verb}`,
      summary: verb === 'activate' ? 'Activate a draft' : 'Retire a version',
      description:
        verb === 'activate'
          ? 'The active version is retired. Said again it changes nothing.'
          : 'Nobody gets it any more; who is on it stays on it. Said again it changes nothing.',
      tag,
      params: VersionParams,
      answers: {
        200: { description: 'As it is now', schema: VersionAnswer },
        409: { description: '`plan_version_retired`, `default_plan_needs_version`' },
      },
      handler: async ({ params, caller, res }) => {
        const key = { idOrCode: params.id, version: params.version }
        const to = verb === 'activate' ? 'active' : 'retired'
        res.json(presentVersion(await moveVersion(deps, caller, { key, to })))
      },
    }),
  )
}
