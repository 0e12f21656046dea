import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { extname, resolve } from 'node:path'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OnEvent } from '../fanout/events.ts'
import { missingFunction } from '../fanout/check-offloads.ts'
import { offloads, type OffloadSpec } from '../fanout/offload/offload.ts'
import { declarations } from '../upstream/declare.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { collisions } from './collisions.ts'
import { DefinitionsError, type DefinitionFault } from './definitions-error.ts'
import { findFiles, foldersIn, type SearchedPath } from './find-files.ts'
import { foldersTo } from './folders-to.ts'
import { importFault } from './import-fault.ts'
import { loadListener } from './load-listener.ts'
import { createModules, type Modules } from './modules.ts'
import { readModule, type Found } from './read-module.ts'
import { shownPath } from './shown-path.ts'
import { undocumented } from './undocumented.ts'

/** The URL of the module that loads definitions in threads. */
const threadLoader = new URL(`./thread-loader${extname(import.meta.url)}`, import.meta.url).href

/** The result of one load. */
export interface Definitions {
  readonly aggregates: readonly AnyAggregate[]
  /** The names of all upstreams that this load or an earlier one declared. An upstream need not be exported. */
  readonly upstreams: readonly string[]
  /** The upstreams that this load declared. */
  readonly specs: readonly UpstreamSpec[]
  /** The listener of the module of `--events`. */
  readonly onEvent: OnEvent | undefined
}

/** Loads the aggregates of files and folders. */
export interface Loader {
  /**
   * Loads all files. Files that were loaded before are loaded again.
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
  readonly close: () => void
}

/**
 * Creates a loader for the files and folders of the command line.
 *
 * @param events - The module whose default export is a listener of events.
 */
export function createLoader(paths: readonly string[], events?: string): Loader {
  // Definitions can change the working directory, so relative paths are resolved before the first load.
  const named = paths.map(path => resolve(path))
  const listener = events === undefined ? undefined : resolve(events)
  const modules = createModules([
    ...findFiles(named, []).map(({ path }) => path),
    ...(listener === undefined ? [] : [listener]),
  ])
  const upstreams = new Set<string>()
  let loads = 0
  let listed = ''

  /** Returns a text that differs when a file appears or disappears, or a folder becomes readable or unreadable. */
  function list(): string {
    const faults: DefinitionFault[] = []
    const files = findFiles(named, faults).flatMap(searched => searched.files)
    return JSON.stringify([files, faults])
  }

  async function load(): Promise<Definitions> {
    const specs: UpstreamSpec[] = []
    const hear = (spec: unknown) => {
      specs.push(spec as UpstreamSpec)
      upstreams.add((spec as UpstreamSpec).name)
    }
    const offloaded: OffloadSpec[] = []
    const take = (spec: unknown) => {
      offloaded.push(spec as OffloadSpec)
    }
    if (loads++ > 0) modules.renew()
    listed = list()
    subscribe(declarations.name, hear)
    subscribe(offloads.name, take)
    try {
      return { ...(await loadAll(specs, offloaded)), upstreams: [...upstreams], specs }
    } finally {
      unsubscribe(declarations.name, hear)
      unsubscribe(offloads.name, take)
    }
  }

  async function loadAll(
    specs: readonly UpstreamSpec[],
    offloaded: readonly OffloadSpec[],
  ): Promise<Pick<Definitions, 'aggregates' | 'onEvent'>> {
    const wrong: DefinitionFault[] = []
    const seen = new Map<AnyAggregate, Found>()
    for (const searched of findFiles(named, wrong)) {
      const found = await loadPath(searched, modules, wrong)
      // An index can export an aggregate that another module exports too. It is still one aggregate.
      for (const each of found) if (!seen.has(each.aggregate)) seen.set(each.aggregate, each)
    }
    for (const spec of offloaded) wrong.push(...(await loadOffloaded(spec, modules)))
    const onEvent = listener === undefined ? undefined : await loadListener(listener, modules, wrong)
    const all = [...seen.values()]
    const clashes = collisions(all)
    // An API document cannot contain two operations with the same id, so it is checked only if there are no collisions.
    wrong.push(...(clashes.length > 0 ? clashes : await undocumented(all, specs)))
    if (wrong.length > 0) throw new DefinitionsError(onceEach(wrong))
    return { aggregates: all.map(({ aggregate }) => aggregate), onEvent }
  }

  return {
    load,
    track: file => modules.stamps.add(resolve(file)),
    changed: () => list() !== listed || modules.stamps.hasChanged(),
    folders: () =>
      new Set([...named.flatMap(path => [...foldersTo(path), ...foldersIn(path)]), ...modules.stamps.folders()]),
    close: modules.close,
  }
}

async function loadPath(
  { path, isFolder, files }: SearchedPath,
  modules: Modules,
  faults: DefinitionFault[],
): Promise<Found[]> {
  const before = faults.length
  const found: Found[] = []
  for (const file of files) {
    try {
      found.push(...readModule(file, await modules.load(file), faults))
    } catch (error) {
      faults.push(importFault(error, file, modules.files))
    }
  }
  if (found.length === 0 && faults.length === before) {
    const what = isFolder ? 'no module in it exports an aggregate' : 'exports no aggregate'
    faults.push({ file: shownPath(path), reason: `${what}: export the result of aggregate(…).reply(…)` })
  }
  return found
}

/**
 * Loads the module of an offloaded function in the main thread too. A fault is then found at the start, and the watch
 * includes the files of the module.
 */
async function loadOffloaded(spec: OffloadSpec, modules: Modules): Promise<DefinitionFault[]> {
  spec.loader = threadLoader
  spec.isChecked = true
  try {
    const fault = missingFunction(spec, await modules.load(spec.file))
    return fault === undefined ? [] : [{ file: shownPath(spec.file), reason: `offload: ${fault}` }]
  } catch (error) {
    return [importFault(error, spec.file, modules.files)]
  }
}

/** Removes duplicate faults. A faulty module that several files import has the same fault in each of them. */
function onceEach(faults: readonly DefinitionFault[]): DefinitionFault[] {
  return [...new Map(faults.map(fault => [JSON.stringify(fault), fault])).values()]
}
