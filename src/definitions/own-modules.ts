import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder with the modules of the running copy: `src` in a checkout, otherwise `dist`. */
export const ownFolder = fileURLToPath(new URL('..', import.meta.url))

const suffix = extname(fileURLToPath(import.meta.url))
const entries: Readonly<Record<string, readonly string[]>> = {
  headwaters: ['index'],
  'headwaters/testing': ['testing/index', 'testing'],
}

/**
 * Returns the URL of the running copy's module for `headwaters` or `headwaters/testing`. A second copy would have
 * different classes, and the running copy would not recognize their instances.
 */
export function ownModule(specifier: string): string | undefined {
  if (!Object.hasOwn(entries, specifier)) return undefined
  return entries[specifier]?.map(name => new URL(`../${name}${suffix}`, import.meta.url)).find(url => existsSync(url))
    ?.href
}
