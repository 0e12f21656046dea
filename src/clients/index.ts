import { catfactNinja } from './catfact-ninja.ts'
import { meowfacts } from './meowfacts.ts'
import { theCatApi } from './the-cat-api.ts'
import { wikipedia } from './wikipedia.ts'

/** All upstreams that the built-in aggregates call. */
export const upstreams = [catfactNinja, meowfacts, theCatApi, wikipedia] as const
