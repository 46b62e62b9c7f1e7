import { type FileStore, pageSchema, route, type Route, type Sql } from '@billtrail/platform'
import {
  BillableFileAnswer,
  billableFileAnswer,
  FileParams,
  FilesQuery,
} from './billable-files.schema'
import { getBillableFile, pageOfBillableFiles, readFileContent } from './read-billable-files'

const tag = 'Billable files'

export function billableFileRoutes(deps: { sql: Sql; files: FileStore }): Route[] {
  const { sql } = deps
  return [
    route({
      method: 'get',
      path: '/v1/billable-files',
      summary: 'What was written where, the newest first',
      description:
        'One entry for each content a key has had; the newest of a key is what lies there.',
      tag,
      query: FilesQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(BillableFileAnswer) } },
      handler: async ({ query, caller, res }) => {
        const { organizationId } = caller
        const { period, limit, cursor } = query
        const page = { organizationId, period, limit, cursor }
        res.json(await pageOfBillableFiles(sql, page, billableFileAnswer))
      },
    }),
    route({
      method: 'get',
      path: '/v1/billable-files/:id',
      summary: 'One billable file',
      tag,
      params: FileParams,
      answers: { 200: { description: 'The file', schema: BillableFileAnswer } },
      handler: async ({ params, caller, res }) => {
        const { organizationId } = caller
        res.json(billableFileAnswer(await getBillableFile(sql, { organizationId, id: params.id })))
      },
    }),
    route({
      method: 'get',
      path: '/v1/billable-files/:id/content',
      summary: 'The bytes of a billable file',
      tag,
      params: FileParams,
      answers: {
        200: { description: 'The bytes, from S3', contentTypes: ['text/plain'] },
        410: { description: '`billable_file_overwritten`: a later cycle wrote other content' },
        503: { description: '`billable_file_missing`: not in the bucket at the moment' },
      },
      handler: async ({ params, caller, res }) => {
        const { organizationId } = caller
        const { file, bytes } = await readFileContent(deps, { organizationId, id: params.id })
        res.setHeader('digest', `sha-256=${Buffer.from(file.sha256, 'hex').toString('base64')}`)
        res.type('text/plain; charset=utf-8').send(bytes)
      },
    }),
  ]
}
