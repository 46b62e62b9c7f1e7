import { type Route, decodeCursor, PageQuery, pageOf, route } from '@billtrail/platform'
import { z } from 'zod'
import { limitUploads } from './limit-uploads'
import type { ImportDeps } from './import-upload'
import { importUpload } from './import-upload'
import { presentConflict, presentReject, presentUpload } from './present-upload'
import { receiveFile } from './receive-file'
import { conflictsOf, rejectsOf, showUpload, showUploads, streamRejects } from './show-uploads'
import {
  ConflictsAnswer,
  RejectsAnswer,
  UploadAnswer,
  UploadParams,
  UploadsAnswer,
  UploadsQuery,
} from './upload.schema'
import { uploadOptions, UploadQuery } from './upload-options'

const tag = 'Uploads'
const LineCursor = z.tuple([z.int()])

function postUpload(deps: ImportDeps): Route {
  const slots = limitUploads()
  return route({
    method: 'post',
    path: '/v1/uploads',
    summary: 'Upload a file of usage events',
    description:
      'A form with the field `file`, or the file itself as the body; plain or gzip. Answered when every row is stored.',
    tag,
    query: UploadQuery,
    rawBody: {
      description: 'CSV, NDJSON, a JSON array of events, or CloudEvents',
      contentTypes: [
        'multipart/form-data',
        'text/csv',
        'application/x-ndjson',
        'application/json',
        'application/cloudevents+json',
        'application/cloudevents-batch+json',
      ],
    },
    answers: {
      201: { description: 'Every row is stored and has its fate', schema: UploadAnswer },
      202: {
        description: '`Prefer: respond-async`: every row is staged; poll',
        schema: UploadAnswer,
      },
    },
    handler: async ({ query, caller, req, res }) => {
      const options = uploadOptions(query, req.get('prefer'))
      const upload = await slots.run(() =>
        receiveFile(req, res, (file) => importUpload(deps, { caller, file, options })),
      )
      const status = upload.state === 'processing' ? 202 : 201
      res.status(status).location(`/v1/uploads/${upload.id}`).json(presentUpload(upload))
    },
  })
}

function getUploads({ pool }: ImportDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/uploads',
      summary: 'List uploads, newest first',
      tag,
      query: UploadsQuery,
      answers: { 200: { description: 'A page', schema: UploadsAnswer } },
      handler: async ({ query, caller, res }) => {
        const below = decodeCursor(query.cursor, LineCursor)?.[0]
        const rows = await showUploads(pool, caller.organizationId, { ...query, below })
        res.json(pageOf(rows, query.limit, presentUpload, (row) => [row.upload_no]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/uploads/:id',
      summary: 'One upload, with its progress while it is processing',
      tag,
      params: UploadParams,
      answers: { 200: { description: 'The upload', schema: UploadAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(presentUpload(await showUpload(pool, caller.organizationId, params.id)))
      },
    }),
  ]
}

function getRejects({ pool }: ImportDeps): Route {
  return route({
    method: 'get',
    path: '/v1/uploads/:id/rejects',
    summary: 'Rejected rows, each with its line, column and reason',
    description: '`Accept: text/csv` gives the rows as they came, ready to correct and send again.',
    tag,
    params: UploadParams,
    query: PageQuery,
    answers: {
      200: {
        description: 'A page, in file order',
        schema: RejectsAnswer,
        contentTypes: ['text/csv'],
      },
    },
    handler: async ({ params, query, caller, req, res }) => {
      const upload = await showUpload(pool, caller.organizationId, params.id)
      if (req.accepts(['application/json', 'text/csv']) === 'text/csv') {
        res.type('text/csv').attachment(`rejects-${upload.id}.csv`)
        await streamRejects(pool, upload, res)
        return
      }
      const after = decodeCursor(query.cursor, LineCursor)?.[0]
      const rows = await rejectsOf(pool, upload, { limit: query.limit, after })
      res.json(pageOf(rows, query.limit, presentReject, (row) => [row.line]))
    },
  })
}

function getConflicts({ pool }: ImportDeps): Route {
  return route({
    method: 'get',
    path: '/v1/uploads/:id/conflicts',
    summary: 'Rows whose key was stored with other content, both values side by side',
    tag,
    params: UploadParams,
    query: PageQuery,
    answers: { 200: { description: 'A page, in file order', schema: ConflictsAnswer } },
    handler: async ({ params, query, caller, res }) => {
      const upload = await showUpload(pool, caller.organizationId, params.id)
      const after = decodeCursor(query.cursor, LineCursor)?.[0]
      const rows = await conflictsOf(pool, upload, { limit: query.limit, after })
      res.json(pageOf(rows, query.limit, presentConflict, (row) => [row.line]))
    },
  })
}

export function uploadRoutes(deps: ImportDeps): Route[] {
  return [postUpload(deps), ...getUploads(deps), getRejects(deps), getConflicts(deps)]
}
