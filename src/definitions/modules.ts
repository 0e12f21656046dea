import { registerHooks, type ResolveFnOutput, type ResolveHookContext } from 'node:module'
import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DefinitionsError } from './definitions-error.ts'
import { FileStamps } from './file-stamps.ts'
import { findModule, type Next } from './find-module.ts'
import { Generations } from './generations.ts'
import { fileOf, generationOf, urlIn } from './module-url.ts'
import { ownFolder, ownModule } from './own-modules.ts'
import { resolveRequired } from './required-files.ts'
import { shownPath } from './shown-path.ts'

/** Loads definitions files and records every file that they import. */
export interface Modules {
  /** Every file that definitions have imported since the start, without the files of packages and of Headwaters. */
  readonly files: ReadonlySet<string>
  readonly generations: Generations
  /**
   * Loads a file and the files that it imports. Returns its exports.
   *
   * @throws `DefinitionsError` if the evaluation does not end in time, because a file waits at its top level. The load
   *   ends then, because Node.js cannot end the evaluation.
   */
  load(file: string): Promise<Readonly<Record<string, unknown>>>
  readonly close: () => void
}

/**
 * The time that a file and its imports have for their evaluation, in ms. It is shorter than the time that a worker has
 * for a step of a reload, so that a worker names the file.
 */
const evaluationMs = 20_000

/**
 * Registers the resolver for imports of definitions. It resolves `headwaters` to the running copy. It resolves `zod` to
 * the copy of Headwaters if the project has none.
 *
 * @param below - Files and folders that are definitions even if they are in the source folder of Headwaters.
 * @param limit - The time that a file and its imports have for their evaluation, in ms. The default is 20 s.
 */
export function createModules(below: readonly string[], limit = evaluationMs): Modules {
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

  /** The timer keeps the process alive: Node.js ends a process that only waits for a module, and names no file. */
  async function inTime<T>(evaluation: Promise<T>, file: string): Promise<T> {
    const late = Promise.withResolvers<never>()
    const reason = `did not end its evaluation in ${limit / 1000} s: check await at its top level and in its imports`
    const timer = setTimeout(() => late.reject(new DefinitionsError([{ file: shownPath(file), reason }])), limit)
    try {
      return await Promise.race([evaluation, late.promise])
    } finally {
      clearTimeout(timer)
    }
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
        return await inTime(import(specifier) as Promise<Readonly<Record<string, unknown>>>, file)
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
