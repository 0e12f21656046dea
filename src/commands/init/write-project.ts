import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../usage-error.ts'

/**
 * Writes the files of a project into a folder. Writes nothing if one of them exists.
 *
 * @throws {UsageError} If the folder is a file, and for files that exist.
 */
export function writeProject(folder: string, files: ReadonlyMap<string, string>): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new UsageError(`init: '${folder}' is a file; name a folder`)
  const existing = Array.from(files.keys()).filter(path => existsSync(join(folder, path)))
  if (existing.length > 0)
    throw new UsageError(`init: ${existing.join(', ')} exists in '${folder}'; name an empty folder`)
  for (const [path, content] of files) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    // A file that appeared since the check is kept.
    writeFileSync(file, content, { flag: 'wx' })
  }
}
