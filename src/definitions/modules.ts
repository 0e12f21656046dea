import { realpathSync, statSync } from 'node:fs'
import { createRequire, registerHooks, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FileStamps } from './file-stamps.ts'
import { missingFiles } from './missing-files.ts'
import { ownFolder, ownModule } from './own-modules.ts'

/** Loads definitions files and records every file that they import. */
export interface Modules {
  /** Every file that definitions have imported since the start, without the files of packages and of Headwaters. */
  readonly files: ReadonlySet<string>
  /** The files that were imported since the last `renew`, and the files that imports did not find. */
  readonly stamps: FileStamps
  /** Loads a file and the files that it imports. Returns its exports. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  /** Makes later loads read all files again. Modules that are already loaded do not change. */
  renew(): void
  readonly close: () => void
}

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

const mark = /[?&]headwaters=(\d+)$/

/** Returns the path of a module's URL, without the generation in its query. Returns `undefined` if it is not a file. */
export function fileOf(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url.replace(mark, '')) : undefined
}

/**
 * Registers the resolver for imports of definitions. It resolves `headwaters` to the running copy. It resolves `zod` to
 * the copy of Headwaters if the project has none.
 *
 * @param below - Files and folders that are definitions even if they are in the source folder of Headwaters.
 */
export function createModules(below: readonly string[]): Modules {
  const files = new Set<string>()
  const stamps = new FileStamps()
  const { cache } = createRequire(import.meta.url)
  let generation = 0

  function reach(file: string): void {
    files.add(file)
    stamps.add(file)
  }

  function isPart(file: string): boolean {
    if (file.includes(`${sep}node_modules${sep}`)) return false
    return below.some(path => file === path || file.startsWith(path + sep)) || !file.startsWith(ownFolder)
  }

  function resolve(specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput {
    const own = ownModule(specifier)
    if (own !== undefined) return { url: own, shortCircuit: true }
    const { parentURL = '' } = context
    const parent = fileOf(parentURL)
    const isRoot = parentURL === import.meta.url && specifier.startsWith('file:')
    if (!isRoot && (parent === undefined || !files.has(parent))) return next(specifier, context)

    const follow: Next = (named, within) => next(withoutLinks(named, parentURL, stamps), within)
    let resolved: ResolveFnOutput
    try {
      resolved = isRoot ? follow(specifier, context) : find(specifier, context, follow)
    } catch (error) {
      if (parent !== undefined) addMissing(specifier, parent, error, stamps)
      throw error
    }
    const file = fileOf(resolved.url)
    if (file === undefined || !isPart(file)) return resolved
    reach(file)
    const url = isRoot ? resolved.url : `${resolved.url}${mark.exec(parentURL)?.[0] ?? ''}`
    // The package.json of a project can declare its .ts files as CommonJS. Definitions are always ES modules.
    return file.endsWith('.ts') ? { ...resolved, url, format: 'module-typescript' } : { ...resolved, url }
  }

  const hooks = registerHooks({ resolve })
  return {
    files,
    stamps,
    load(file) {
      reach(file)
      return import(`${pathToFileURL(file).href}${generation === 0 ? '' : `?headwaters=${generation}`}`) as Promise<
        Readonly<Record<string, unknown>>
      >
    },
    renew() {
      generation++
      stamps.clear()
      // The CommonJS cache uses the file name as key. The generation in the URL has no effect on it.
      for (const file of files) delete cache[file]
    },
    close: () => hooks.deregister(),
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
function addMissing(specifier: string, parent: string, error: unknown, stamps: FileStamps): void {
  const { url } = error as { readonly url?: unknown }
  const path = pathNamed(specifier, pathToFileURL(parent).href) ?? (typeof url === 'string' ? fileOf(url) : undefined)
  for (const file of missingFiles(specifier, path, parent)) stamps.add(file)
}

/** Returns the path that a specifier names, or `undefined` if it names a package. */
function pathNamed(specifier: string, parentURL: string): string | undefined {
  if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return undefined
  const url = URL.parse(specifier, parentURL)
  return url?.protocol === 'file:' ? fileURLToPath(url) : undefined
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
