import { existsSync } from 'node:fs'
import { UsageError } from './usage-error.ts'

/** Throws a `UsageError` that names every path where there is nothing. */
export function checkPaths(given: string, paths: readonly string[]): void {
  const missing = paths.filter(path => !existsSync(path))
  if (missing.length > 0)
    throw new UsageError(`${given}: there is no file or folder ${missing.map(path => `'${path}'`).join(', ')}`)
}
