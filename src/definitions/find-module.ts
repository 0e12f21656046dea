import { realpathSync, statSync } from 'node:fs'
import type { ResolveFnOutput, ResolveHookContext } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FileStamps } from './file-stamps.ts'
import { missingFiles } from './missing-files.ts'
import { fileOf } from './module-url.ts'

export type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

/**
 * Resolves an import. Adds the symbolic links that it follows, and the files that it does not find, to the stamps.
 *
 * @param importer - The path of the file that contains the import, or `undefined` if Headwaters loads the file itself.
 */
export function findModule(
  specifier: string,
  context: ResolveHookContext,
  next: Next,
  importer: string | undefined,
  stamps: FileStamps,
): ResolveFnOutput {
  const { parentURL = '' } = context
  const follow: Next = (named, within) => next(withoutLinks(named, parentURL, stamps), within)
  try {
    return importer === undefined ? follow(specifier, context) : find(specifier, context, follow)
  } catch (error) {
    addMissing(specifier, importer, error, stamps)
    throw error
  }
}

function find(specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput {
  try {
    return next(specifier, context)
  } catch (error) {
    if (/^zod(?:\/|$)/.test(specifier)) return { url: import.meta.resolve(specifier), shortCircuit: true }
    // In TypeScript, an import can name the .js file that the compiler writes. Try the .ts file of that name.
    const source = /^\.\.?\//.test(specifier) ? specifier.replace(/(?:\.js)?$/, '.ts') : undefined
    if (source === undefined || /\.[cm]?ts$/.test(specifier)) throw error
    try {
      return next(source, context)
    } catch {
      throw error
    }
  }
}

/**
 * Returns the URL of the real file if the specifier leads to it through symbolic links, and adds the path to the
 * stamps. Otherwise returns the specifier. Node.js caches the target of each link, so it would not see that a link has
 * changed.
 */
function withoutLinks(specifier: string, parentURL: string, stamps: FileStamps): string {
  const path = pathNamed(specifier, parentURL)
  if (path === undefined) return specifier
  let real = path
  try {
    real = realpathSync(path)
  } catch {
    return specifier
  }
  if (real === path || !statSync(real).isFile()) return specifier
  stamps.add(path)
  const query = specifier.indexOf('?')
  return pathToFileURL(real).href + (query === -1 ? '' : specifier.slice(query))
}

/** Adds the files that a failed import looked for, so that their creation is a change. */
function addMissing(specifier: string, importer: string | undefined, error: unknown, stamps: FileStamps): void {
  if (importer === undefined) return stamps.add(fileOf(specifier) as string)
  const { url } = error as { readonly url?: unknown }
  const path = pathNamed(specifier, pathToFileURL(importer).href) ?? (typeof url === 'string' ? fileOf(url) : undefined)
  for (const file of missingFiles(specifier, path, importer)) stamps.add(file)
}

/** Returns the path that a specifier names, or `undefined` if it names a package. */
function pathNamed(specifier: string, parentURL: string): string | undefined {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return undefined
  const url = URL.parse(specifier, parentURL)
  return url?.protocol === 'file:' ? fileURLToPath(url) : undefined
}
