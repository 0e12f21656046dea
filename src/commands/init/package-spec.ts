import { statSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import { ownManifest } from './own-manifest.ts'

/**
 * Returns the value of the dependency `headwaters` in the package.json of a new project.
 *
 * @param folder The folder of the project.
 * @param given A version, a range, or the path of a packed file relative to the working directory. @default the version
 *   of the running command
 */
export function packageSpec(folder: string, given: string | undefined): string {
  if (given === undefined || given === '') return ownManifest().version
  if (!isFile(given)) return withoutName(given)
  return `file:${relative(folder, resolve(given)).replaceAll(sep, '/')}`
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Returns the version of `headwaters@1.2.3`, which `npm exec` accepts and a dependency does not. */
function withoutName(spec: string): string {
  if (spec === 'headwaters') return ownManifest().version
  return spec.startsWith('headwaters@') ? spec.slice('headwaters@'.length) : spec
}
