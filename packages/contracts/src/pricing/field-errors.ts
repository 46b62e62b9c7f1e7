import { DomainError, type FieldError } from '@billtrail/domain'
import type { z } from 'zod'

export type FieldPath = readonly PropertyKey[]

/** `charges[1].price.tiers[2].up_to`, as the field is written in the body. */
export function fieldText(path: FieldPath): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')
}

/** Every fault zod found, an unknown field by its own name. `prefix` is where the value stands in the body. */
export function fieldErrors(error: z.ZodError, prefix: FieldPath): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path]
    if (issue.code !== 'unrecognized_keys') {
      return [{ field: fieldText(path), message: issue.message }]
    }
    return issue.keys.map((key) => ({
      field: fieldText([...path, key]),
      message: 'There is no such field here',
    }))
  })
}

/** One error for all faults. */
export function invalidFields(code: string, errors: readonly FieldError[]): DomainError {
  const [first] = errors
  const message =
    errors.length === 1 && first !== undefined
      ? `${first.field}: ${first.message}.`
      : `${errors.length} fields cannot be used; see errors.`
  return new DomainError('invalid', code, message, errors)
}
