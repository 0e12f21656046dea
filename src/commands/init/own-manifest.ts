import { readFileSync } from 'node:fs'

/** The part of the package.json of Headwaters that a new project takes its versions from. */
interface Manifest {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly devDependencies: Readonly<Record<string, string>>
}

/** The folder of the package or of the checkout. */
export const packageFolder = new URL('../../../', import.meta.url)

/** Reads the package.json of Headwaters. */
export function ownManifest(): Manifest {
  return JSON.parse(readFileSync(new URL('package.json', packageFolder), 'utf8')) as Manifest
}
