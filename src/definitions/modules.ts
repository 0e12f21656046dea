import { registerHooks, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FileStamps } from './file-stamps.ts'
import { findModule, type Next } from './find-module.ts'
import { Generations } from './generations.ts'
import { fileOf, generationOf, urlIn } from './module-url.ts'
import { ownFolder, ownModule } from './own-modules.ts'
import { resolveRequired } from './required-files.ts'

/** Loads definitions files and records every file that they import. */
export interface Modules {
  /** Every file that definitions have imported since the start, without the files of packages and of Headwaters. */
  readonly files: ReadonlySet<string>
  readonly generations: Generations
  /** Loads a file and the files that it imports. Returns its exports. */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  readonly close: () => void
}

/**
 * Registers the resolver for imports of definitions. It resolves `headwaters` to the running copy. It resolves `zod` to
 * the copy of Headwaters if the project has none.
 *
 * @param below - Files and folders that are definitions even if they are in the source folder of Headwaters.
 */
export function createModules(below: readonly string[]): Modules {
  const files = new Set<string>()
  const generations = new Generations()
  /** The URLs that `load` imports. */
  const roots = new Set<string>()

  function isPart(file: string): boolean {
    if (file.includes(`${sep}node_modules${sep}`)) return false
    return below.some(path => file === path || file.startsWith(path + sep)) || !file.startsWith(ownFolder)
  }

  function resolve(specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput {
    const own = ownModule(specifier)
    if (own !== undefined) return { url: own, shortCircuit: true }
    const { parentURL = '' } = context
    const isRoot = parentURL === import.meta.url && roots.has(specifier)
    const importer = isRoot ? undefined : fileOf(parentURL)
    if (!isRoot && (importer === undefined || !files.has(importer))) return next(specifier, context)

    const parent = importer === undefined ? undefined : moduleOf(importer, parentURL)
    // A replaced module is not watched.
    const stamps = isRoot ? generations.graph.rootStamps : (parent?.stamps ?? new FileStamps())
    const resolved = findModule(specifier, context, next, importer, stamps)
    const file = fileOf(resolved.url)
    if (file === undefined || !isPart(file)) return resolved
    files.add(file)
    const { generation } = generations.reach(file)
    if (isRoot) generations.graph.addRoot(file)
    else parent?.imports.add(file)
    const url = urlIn(resolved.url, generation)
    // The package.json of a project can declare its .ts files as CommonJS. Definitions are always ES modules.
    return file.endsWith('.ts') ? { ...resolved, url, format: 'module-typescript' } : { ...resolved, url }
  }

  /** Returns the module of an importer, or `undefined` if the importer is a replaced module. */
  function moduleOf(file: string, url: string) {
    const module = generations.graph.get(file)
    // The URL of a CommonJS module has no generation.
    const generation = generationOf(url)
    return generation === 0 || generation === module?.generation ? module : undefined
  }

  const hooks = registerHooks({ resolve })
  const stopRequired = resolveRequired(file => files.has(file))
  return {
    files,
    generations,
    async load(file) {
      // Node.js resolves a specifier of an importer once, so the same file needs another specifier in each load.
      const specifier = urlIn(pathToFileURL(file).href, generations.number)
      roots.add(specifier)
      try {
        return (await import(specifier)) as Readonly<Record<string, unknown>>
      } finally {
        roots.delete(specifier)
      }
    },
    close() {
      hooks.deregister()
      stopRequired()
    },
  }
}
