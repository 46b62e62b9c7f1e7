import { decodeCursor, PageQuery, pageOf, type Route, route } from '@billtrail/platform'
import { z } from 'zod'
import { acceptConflict } from './accept-conflict'
import { commitPreview, discardPreview } from './commit-upload'
import type { ImportDeps } from './import-upload'
import { presentEffect, presentUpload } from './present-upload'
import { revertUpload } from './revert-upload'
import { effectsOf, showUpload } from './show-uploads'
import { ConflictParams, EffectsAnswer, UploadAnswer, UploadParams } from './upload.schema'

const tag = 'Uploads'
const EffectCursor = z.tuple([z.int(), z.string().max(7), z.string().max(3)])
const answers = { 200: { description: 'The upload as it is now', schema: UploadAnswer } }

function getPreview({ pool }: ImportDeps): Route {
  return route({
    method: 'get',
    path: '/v1/uploads/:id/preview',
    summary:
      'What a previewed upload would do: usage and money per customer and month, before and after',
    tag,
    params: UploadParams,
    query: PageQuery,
    answers: { 200: { description: 'A page, by customer and month', schema: EffectsAnswer } },
    handler: async ({ params, query, caller, res }) => {
      const upload = await showUpload(pool, caller.organizationId, params.id)
      const after = decodeCursor(query.cursor, EffectCursor)
      const rows = await effectsOf(pool, upload, { limit: query.limit, after })
      res.json(
        pageOf(rows, query.limit, presentEffect, (row) => [
          row.customer_no,
          row.period,
          row.currency,
        ]),
      )
    },
  })
}

/** Preview, commit, discard, revert, and accepting a conflict. Each may be sent again. */
export function uploadActionRoutes(deps: ImportDeps): Route[] {
  const { uploadPool } = deps
  return [
    getPreview(deps),
    route({
      method: 'post',
      path: '/v1/uploads/:id/commit',
      summary: 'Make a previewed upload real',
      tag,
      params: UploadParams,
      answers,
      handler: async ({ params, caller, res }) => {
        const upload = await commitPreview(deps, caller, params.id)
        deps.counter.countSoon()
        res.json(presentUpload(upload))
      },
    }),
    route({
      method: 'post',
      path: '/v1/uploads/:id/discard',
      summary: 'Forget a previewed upload',
      tag,
      params: UploadParams,
      answers,
      handler: async ({ params, caller, res }) => {
        const upload = await discardPreview(uploadPool, caller.organizationId, params.id)
        res.json(presentUpload(upload))
      },
    }),
    route({
      method: 'post',
      path: '/v1/uploads/:id/revert',
      summary: 'Withdraw exactly what an upload brought',
      description:
        'Usage follows at once, drafts with the next cycle. An event that another upload brought too is then that upload’s.',
      tag,
      params: UploadParams,
      answers,
      handler: async ({ params, caller, res }) => {
        res.json(presentUpload(await revertUpload(uploadPool, caller, params.id)))
      },
    }),
    route({
      method: 'post',
      path: '/v1/uploads/:id/conflicts/:line/accept',
      summary: 'Take the value of a conflicting row as a correction',
      tag,
      params: ConflictParams,
      answers,
      handler: async ({ params, caller, res }) => {
        const conflict = { uploadId: params.id, line: params.line }
        res.json(presentUpload(await acceptConflict(uploadPool, caller, conflict)))
      },
    }),
  ]
}
