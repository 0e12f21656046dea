// Runs in a thread. Loads the module of an offloaded function with the same resolver as definitions.
import { fileURLToPath } from 'node:url'
import { createModules } from './modules.ts'

const modules = createModules([])

/** Loads the module of an offloaded function. */
export function load(href: string): Promise<Readonly<Record<string, unknown>>> {
  return modules.load(fileURLToPath(href))
}
