import { extname } from 'node:path'
import { missingFunction } from '../fanout/check-offloads.ts'
import type { OffloadSpec } from '../fanout/offload/offload.ts'
import type { DefinitionFault } from './definitions-error.ts'
import { importFault } from './import-fault.ts'
import type { Modules } from './modules.ts'
import { shownPath } from './shown-path.ts'

/** The URL of the module that loads definitions in threads. */
const threadLoader = new URL(`./thread-loader${extname(import.meta.url)}`, import.meta.url).href

/**
 * Loads the modules of offloaded functions in the main thread too. A fault is then found at the start, and the watch
 * includes the files of the modules.
 *
 * @param offloaded - Returns the declarations. A loaded module can declare more of them.
 */
export async function loadOffloaded(
  offloaded: () => readonly OffloadSpec[],
  modules: Modules,
  faults: DefinitionFault[],
): Promise<void> {
  const loaded = new Set<OffloadSpec>()
  for (;;) {
    const spec = offloaded().find(each => !loaded.has(each))
    if (spec === undefined) return
    loaded.add(spec)
    spec.loader = threadLoader
    spec.isChecked = true
    try {
      const fault = missingFunction(spec, await modules.load(spec.file))
      if (fault !== undefined) faults.push({ file: shownPath(spec.file), reason: `offload: ${fault}` })
    } catch (error) {
      faults.push(importFault(error, spec.file, modules.files))
    }
  }
}
