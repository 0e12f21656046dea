import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the modules of the running copy: `src` of a checkout, or `dist`. */
export const ownFolder = fileURLToPath(new URL('..', import.meta.url))

const suffix = extname(fileURLToPath(import.meta.url))
const entries: Readonly<Record<string, readonly string[]>> = {
  headwaters: ['index'],
  'headwaters/testing': ['testing/index', 'testing'],
}

/**
 * The running copy's own module for `headwaters` and `headwaters/testing`: a second copy would not know the first one's
 * classes.
 */
export function ownModule(specifier: string): string | undefined {
  if (!Object.hasOwn(entries, specifier)) return undefined
  return entries[specifier]?.map(name => new URL(`../${name}${suffix}`, import.meta.url)).find(url => existsSync(url))
    ?.href
}
