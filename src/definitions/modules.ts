import { statSync } from 'node:fs'
import { createRequire, registerHooks, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ownFolder, ownModule } from './own-modules.ts'

/** Loads definitions files, and knows of which files they are made. */
export interface Modules {
  /** Every file that was ever reached from definitions and is neither a package's nor ours. */
  readonly files: ReadonlySet<string>
  /** Those that were reached since the last `renew`, as they were before they were read. */
  readonly stamps: ReadonlyMap<string, string>
  /** Loads one, with what it imports. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  /** Makes later loads read all files again; modules that were loaded before stay as they are. */
  renew(): void
  readonly close: () => void
}

/** Says whether a file was written since. */
export function stampOf(file: string): string {
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? {}
  return `${mtimeMs} ${size}`
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
  const stamps = new Map<string, string>()
  const { cache } = createRequire(import.meta.url)
  let generation = 0

  function reach(file: string): void {
    files.add(file)
    if (!stamps.has(file)) stamps.set(file, stampOf(file))
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

    const resolved = isRoot ? next(specifier, context) : find(specifier, context, next)
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
