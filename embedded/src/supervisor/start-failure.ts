import { ConfigError } from '@billtrail/platform'
import { reasonOf } from './data-folder'

/** Why a start failed, as one sentence without a stack. */
export function startFailure(error: unknown): string {
  if (error instanceof ConfigError) return error.message
  const { code, path = 'the folder' } = error as NodeJS.ErrnoException
  // What fails in the middle of writing names no file: only the disk does that here.
  if (code !== undefined && (path !== 'the folder' || code === 'ENOSPC' || code === 'EDQUOT')) {
    return `BILLTRAIL_DATA_DIR: ${path} cannot be used (${reasonOf(error)}).`
  }
  return error instanceof Error ? error.message : String(error)
}
