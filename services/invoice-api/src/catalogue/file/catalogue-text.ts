import { fieldErrors, invalidFields } from '@billtrail/contracts'
import { DomainError } from '@billtrail/domain'
import { parse, stringify, YAMLError } from 'yaml'
import { CatalogueFile, type CatalogueJson } from './catalogue-file.schema'

/**
 * Reads a catalogue file: YAML, of which JSON is a part. Decimals are texts in it, so they have quotes.
 * Throws DomainError `malformed_catalogue`, and `invalid_catalogue` with every fault by its path.
 */
export function parseCatalogue(text: string): CatalogueJson {
  const result = CatalogueFile.safeParse(read(text))
  if (!result.success) throw invalidFields('invalid_catalogue', fieldErrors(result.error, []))
  return result.data
}

/** The file as YAML. Read again it says the same. */
export const printCatalogue = (catalogue: CatalogueJson): string =>
  stringify(catalogue, { lineWidth: 0, aliasDuplicateObjects: false })

function read(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, prettyErrors: true, logLevel: 'error' })
  } catch (error) {
    if (!(error instanceof YAMLError) && !(error instanceof ReferenceError)) throw error
    const [message = ''] = error.message.split('\n')
    throw new DomainError(
      'invalid',
      'malformed_catalogue',
      `The body is neither YAML nor JSON: ${message}`,
    )
  }
}
