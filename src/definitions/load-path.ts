import type { DefinitionFault } from './definitions-error.ts'
import type { SearchedPath } from './find-files.ts'
import { importFault } from './import-fault.ts'
import type { Modules } from './modules.ts'
import { readModule, type Found } from './read-module.ts'
import { shownPath } from './shown-path.ts'

/** Loads the files of a path of the command line. Returns their aggregates. Adds a fault if the path has none. */
export async function loadPath(
  { path, isFolder, files }: SearchedPath,
  modules: Modules,
  faults: DefinitionFault[],
): Promise<Found[]> {
  const before = faults.length
  const found: Found[] = []
  for (const file of files) {
    try {
      found.push(...readModule(file, await modules.load(file), faults))
    } catch (error) {
      faults.push(importFault(error, file, modules.files))
    }
  }
  if (found.length === 0 && faults.length === before) {
    const what = isFolder ? 'no module in it exports an aggregate' : 'exports no aggregate'
    faults.push({ file: shownPath(path), reason: `${what}: export the result of aggregate(…).reply(…)` })
  }
  return found
}
