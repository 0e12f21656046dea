import type { OnEvent } from '../fanout/events.ts'
import type { DefinitionFault } from './definitions-error.ts'
import { importFault } from './import-fault.ts'
import type { Modules } from './modules.ts'
import { shownPath } from './shown-path.ts'

/** Loads the listener that a module exports as its default. Adds a fault if the module has none. */
export async function loadListener(
  file: string,
  modules: Modules,
  faults: DefinitionFault[],
): Promise<OnEvent | undefined> {
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = await modules.load(file)
  } catch (error) {
    faults.push(importFault(error, file, modules.files))
    return undefined
  }
  const { default: listener } = exports
  if (typeof listener === 'function') return listener as OnEvent
  const found = listener === undefined ? 'has no default export' : `has a default export that is ${kindOf(listener)}`
  faults.push({ file: shownPath(file), reason: `${found}: --events needs export default event => { … }` })
  return undefined
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
