import { realpathSync, statSync } from 'node:fs'
import { createRequire, registerHooks, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { FileStamps } from './file-stamps.ts'
import { missingFiles } from './missing-files.ts'
import { ownFolder, ownModule } from './own-modules.ts'

/** Loads definitions files, and knows of which files they are made. */
export interface Modules {
  /** Every file that was ever reached from definitions and is neither a package's nor ours. */
  readonly files: ReadonlySet<string>
  /** Those that were reached since the last `renew`, with those that imports did not find. */
  readonly stamps: FileStamps
  /** Loads one, with what it imports. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  /** Makes later loads read all files again; modules that were loaded before stay as they are. */
  renew(): void
  readonly close: () => void
}

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

const mark = /[?&]headwaters=(\d+)$/

/** The file of a module's URL, without the mark of its generation. */
export function fileOf(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url.replace(mark, '')) : undefined
}

/**
 * Makes modules that resolve `headwaters` to the running copy and `zod` to ours where their project has none.
 * `below` are files and folders that are definitions even inside our own source.
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
    // A project's package.json may say that TypeScript is CommonJS; definitions are modules all the same.
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
      // CommonJS is kept by its file name, whatever the URL says.
      for (const file of files) delete cache[file]
    },
    close: () => hooks.deregister(),
  }
}

/**
 * Returns the specifier, or the URL of the file to which it leads by symbolic links, which are then watched. Node.js
 * reads each link once.
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

/** Adds the files that an import would find if they were there. */
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
    // TypeScript's convention: an import names the file that the compiler writes.
    const source = /^\.\.?\//.test(specifier) ? specifier.replace(/(?:\.js)?$/, '.ts') : undefined
    if (source === undefined || /\.[cm]?ts$/.test(specifier)) throw error
    try {
      return next(source, context)
    } catch {
      throw error
    }
  }
}
