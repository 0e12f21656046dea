// Runs in a thread: an offloaded module is loaded there as definitions are here.
import { fileURLToPath } from 'node:url'
import { createModules } from './modules.ts'

const modules = createModules([])

/** Loads the module of an offloaded function. */
export function load(href: string): Promise<Readonly<Record<string, unknown>>> {
  return modules.load(fileURLToPath(href))
}
