import type { z } from 'zod'

export type Environment = Readonly<Record<string, string | undefined>>

/** A setting that cannot be used. The message names the variable; nothing has been started yet. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Variables that hold a key or a password. */
const SECRET = /KEY|SECRET|PASSWORD|TOKEN|^DATABASE_URL$/

/**
 * Reads the environment once, through a zod object whose keys are variable names.
 *
 * An empty variable counts as absent, so that `${X:-}` in a Compose file means "use the default".
 * Throws ConfigError with one sentence for each variable at fault; a key or a password is not repeated in it.
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Environment,
): z.infer<Schema> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const result = schema.safeParse(present)
  if (result.success) return result.data

  const faults = result.error.issues.map((issue) => {
    const name = issue.path.join('.')
    const given = present[name]
    if (given === undefined) return `${name} is missing.`
    return SECRET.test(name) ? `${name}: ${issue.message}.` : `${name}=${given}: ${issue.message}.`
  })
  throw new ConfigError(faults.join(' '))
}
