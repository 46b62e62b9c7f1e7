import { z } from 'zod'

const Paths = z.record(z.string(), z.record(z.string(), z.unknown()))
const Schemas = z.record(z.string(), z.unknown())
type Schemas = z.infer<typeof Schemas>

/** The parts of a service's OpenAPI document that are put together; the rest is said once. */
export const ServiceDocument = z.object({
  paths: Paths.default({}),
  components: z.object({ schemas: Schemas.default({}) }).default({ schemas: {} }),
})

const REF = '#/components/schemas/'

/** The same document, its schemas and the references to them under other names. */
function renamed(node: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(node)) return node.map((each) => renamed(each, names))
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key !== '$ref' || typeof value !== 'string' || !value.startsWith(REF)) {
        return [key, renamed(value, names)]
      }
      const name = value.slice(REF.length)
      return [key, `${REF}${names.get(name) ?? name}`]
    }),
  )
}

/** `usage-api` → `UsageApi` */
const prefixOf = (service: string): string =>
  service.replaceAll(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase())

/**
 * New names for those of a service's schemas whose name is taken by other content. A schema that refers to a
 * renamed one has other content, too, so this goes round until nothing changes.
 */
function newNames(service: string, own: Schemas, taken: Schemas): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  let before: number
  do {
    before = names.size
    for (const [name, schema] of Object.entries(own)) {
      if (names.has(name) || !Object.hasOwn(taken, name)) continue
      const same = JSON.stringify(taken[name]) === JSON.stringify(renamed(schema, names))
      if (!same) names.set(name, `${prefixOf(service)}${name}`)
    }
  } while (names.size > before)
  return names
}

/**
 * One OpenAPI document of several. Schemas of the same name and content become one; of the same name and other
 * content, the later one gets its service's name in front.
 */
export function mergeDocuments(
  documents: readonly (readonly [service: string, document: z.infer<typeof ServiceDocument>])[],
): object {
  const paths: z.infer<typeof Paths> = {}
  const schemas: Schemas = {}
  for (const [service, document] of documents) {
    const own = document.components.schemas
    const names = newNames(service, own, schemas)
    for (const [name, schema] of Object.entries(own)) {
      schemas[names.get(name) ?? name] = renamed(schema, names)
    }
    for (const [path, operations] of Object.entries(document.paths)) {
      paths[path] = { ...paths[path], ...(renamed(operations, names) as typeof operations) }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Billtrail', version: '1', license: { name: 'Apache-2.0' } },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } }, schemas },
    paths,
  }
}
