import { route, type Route } from '@billtrail/platform'
import type { CatalogueDeps } from '../catalogue-deps'
import { getCatalogue, putCatalogue } from './apply-catalogue'
import { CatalogueAnswer, CatalogueFile, CatalogueQuery } from './catalogue-file.schema'
import { parseCatalogue, printCatalogue } from './catalogue-text'
import { readBodyText } from './read-body-text'

const tag = 'Catalogue'
const BODY_BYTES_MAX = 8 * 1024 * 1024
const YAML_TYPE = 'application/yaml'

export function catalogueFileRoutes(deps: CatalogueDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/catalogue',
      summary: 'The whole catalogue as one file',
      description: 'JSON, or YAML with `Accept: application/yaml`. Sent back it changes nothing.',
      tag,
      answers: {
        200: {
          description: 'Meters, plans and every version of theirs',
          schema: CatalogueFile,
          contentTypes: [YAML_TYPE],
        },
      },
      handler: async ({ caller, req, res }) => {
        const catalogue = await getCatalogue(deps, caller)
        const asYaml = req.accepts(['application/json', YAML_TYPE, 'text/yaml']) || ''
        if (!asYaml.endsWith('yaml')) res.json(catalogue)
        else res.type(`${YAML_TYPE}; charset=utf-8`).send(printCatalogue(catalogue))
      },
    }),
    route({
      method: 'put',
      path: '/v1/catalogue',
      summary: 'Make the catalogue as a file says',
      description:
        'One transaction. What the file does not name stays as it is; `dry_run=true` only tells what would change.',
      tag,
      query: CatalogueQuery,
      rawBody: {
        description: 'A catalogue as GET gives it, in JSON or YAML',
        contentTypes: ['application/json', YAML_TYPE, 'text/yaml'],
      },
      answers: {
        200: { description: 'What changed, or would change', schema: CatalogueAnswer },
        409: { description: '`catalogue_conflict`: what is in use never changes' },
        422: { description: '`invalid_catalogue`: every fault by its path' },
      },
      handler: async ({ query, caller, req, res }) => {
        const file = parseCatalogue(await readBodyText(req, BODY_BYTES_MAX))
        const dryRun = query.dry_run
        const changes = await putCatalogue(deps, caller, { file, dryRun })
        res.json({ dry_run: dryRun, changes })
      },
    }),
  ]
}
