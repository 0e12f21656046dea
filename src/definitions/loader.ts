import { resolve } from 'node:path'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OnEvent } from '../fanout/events.ts'
import { offloads, type OffloadSpec } from '../fanout/offload/offload.ts'
import { declarations } from '../upstream/declare.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { collisions } from './collisions.ts'
import { DeclaredValues } from './declared-values.ts'
import { DefinitionsError, type DefinitionFault } from './definitions-error.ts'
import { FileStamps } from './file-stamps.ts'
import { foldersOf, listFiles, type FilesState } from './files-state.ts'
import { findFiles } from './find-files.ts'
import { loadListener } from './load-listener.ts'
import { loadOffloaded } from './load-offloaded.ts'
import { loadPath } from './load-path.ts'
import { createModules } from './modules.ts'
import type { Found } from './read-module.ts'
import { undocumented } from './undocumented.ts'

/** The result of one load. */
export interface Definitions {
  readonly aggregates: readonly AnyAggregate[]
  /** The names of all upstreams that this load or an earlier one declared. An upstream need not be exported. */
  readonly upstreams: readonly string[]
  /** The upstreams that the modules in use have declared. */
  readonly specs: readonly UpstreamSpec[]
  /** The paths of the files that this load evaluated: those that changed since the load before, and their importers. */
  readonly evaluated: readonly string[]
  /** The listener of the module of `--events`. */
  readonly onEvent: OnEvent | undefined
}

/** Loads the aggregates of files and folders. */
export interface Loader {
  /**
   * Loads all files. Evaluates the files that changed since the last load that succeeded, and all files that import
   * them. The exports of the other files are the same objects as before.
   *
   * @throws `DefinitionsError` with the faults of all files.
   */
  readonly load: () => Promise<Definitions>
  /** Adds a file to the files that `changed` checks until the next load. The file need not exist. */
  readonly track: (file: string) => void
  /** Returns the folders in which a change can change the definitions. */
  readonly folders: () => ReadonlySet<string>
  /** Returns true if a file was written, added or removed since the last load started. */
  readonly changed: () => boolean
  /** Returns the state of the files at the last load. */
  readonly files: () => FilesState
  readonly close: () => void
}

/**
 * Creates a loader for the files and folders of the command line.
 *
 * @param events - The module whose default export is a listener of events.
 * @param limit - The time that a file and its imports have for their evaluation, in ms. The default is 20 s.
 */
export function createLoader(paths: readonly string[], events?: string, limit?: number): Loader {
  // Definitions can change the working directory, so relative paths are resolved before the first load.
  const named = paths.map(path => resolve(path))
  const listener = events === undefined ? undefined : resolve(events)
  const modules = createModules(
    [...findFiles(named, []).map(({ path }) => path), ...(listener === undefined ? [] : [listener])],
    limit,
  )
  const { generations } = modules
  const specs = new DeclaredValues<UpstreamSpec>(declarations, generations)
  const offloaded = new DeclaredValues<OffloadSpec>(offloads, generations)
  const upstreams = new Set<string>()
  /** The files that `track` adds. They are not modules. */
  let tracked = new FileStamps()
  let listed = ''

  async function load(): Promise<Definitions> {
    generations.begin()
    tracked = new FileStamps()
    listed = listFiles(named)
    specs.start()
    offloaded.start()
    try {
      const loaded = await loadAll()
      const evaluated = generations.accept()
      return { ...loaded, evaluated, upstreams: [...upstreams] }
    } catch (error) {
      generations.reject()
      throw error
    } finally {
      specs.stop()
      offloaded.stop()
    }
  }

  async function loadAll(): Promise<Pick<Definitions, 'aggregates' | 'specs' | 'onEvent'>> {
    const wrong: DefinitionFault[] = []
    const seen = new Map<AnyAggregate, Found>()
    for (const searched of findFiles(named, wrong)) {
      const found = await loadPath(searched, modules, wrong)
      // An index can export an aggregate that another module exports too. It is still one aggregate.
      for (const each of found) if (!seen.has(each.aggregate)) seen.set(each.aggregate, each)
    }
    await loadOffloaded(() => offloaded.inUse(), modules, wrong)
    const onEvent = listener === undefined ? undefined : await loadListener(listener, modules, wrong)
    const declared = specs.inUse()
    for (const { name } of declared) upstreams.add(name)
    const all = [...seen.values()]
    const clashes = collisions(all)
    // An API document cannot contain two operations with the same id, so it is checked only if there are no collisions.
    wrong.push(...(clashes.length > 0 ? clashes : await undocumented(all, declared)))
    if (wrong.length > 0) throw new DefinitionsError(onceEach(wrong))
    return { aggregates: all.map(({ aggregate }) => aggregate), specs: declared, onEvent }
  }

  return {
    load,
    track: file => tracked.add(resolve(file)),
    changed: () => listFiles(named) !== listed || tracked.hasChanged() || generations.latest.hasChanged(),
    folders: () => new Set([...foldersOf(named), ...tracked.folders(), ...generations.latest.folders()]),
    files: () => ({
      listed,
      stamps: [...FileStamps.of([...generations.latest.entries(), ...tracked.entries()]).entries()],
    }),
    close: modules.close,
  }
}

/** Removes duplicate faults. A faulty module that several files import has the same fault in each of them. */
function onceEach(faults: readonly DefinitionFault[]): DefinitionFault[] {
  return [...new Map(faults.map(fault => [JSON.stringify(fault), fault])).values()]
}
