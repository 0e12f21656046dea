import { resolve } from 'node:path'
import { readConfig, type Config } from '../config.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OnEvent } from '../fanout/events.ts'
import type { OpenapiInfo } from '../http/openapi/info.ts'
import type { Override } from '../upstream/runtime.ts'
import type { Operation } from '../upstream/declare.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Variables } from '../upstream/spec/variables.ts'
import { batchOperationsOf } from './batch-operations.ts'
import { checkOverrides } from './check-overrides.ts'
import type { FilesState } from './files-state.ts'
import { packageInfo } from './package-info.ts'
import { readSecrets } from './read-secrets.ts'
import { shownPath } from './shown-path.ts'
import { startFolder } from './start-folder.ts'

/** Aggregates that can be served or run, with their configuration. */
export interface Catalogue {
  readonly aggregates: readonly AnyAggregate[]
  readonly config: Config
  readonly overrides: Readonly<Record<string, Override>>
  /** All declared upstreams. An upstream need not be exported. */
  readonly specs: readonly UpstreamSpec[]
  /** The operations with `batch: true` of all declared upstreams. Batches may call them. */
  readonly batchOperations: readonly Operation<never, unknown>[]
  /** The variables that `env('NAME')` of a declaration reads. */
  readonly environment: Variables
  /** The `info` of the API document. */
  readonly info: OpenapiInfo
  /** Values that a log must not contain. */
  readonly secrets: readonly string[]
  /** The kind of the upstreams: demo upstreams, public upstreams, or upstreams that definitions declare. */
  readonly upstreams: 'demo' | 'public' | 'as declared'
  /** The files that were evaluated for this catalogue, for the log. */
  readonly evaluated: readonly string[]
  /** Receives the events of all runs. */
  readonly onEvent: OnEvent | undefined
}

/** A catalogue that must be closed. It can hold demo upstreams and the module hooks of its loader. */
export interface OpenCatalogue extends Catalogue {
  /** The origins of the demo upstreams, by the name of the upstream. They run in this process or in another one. */
  readonly demoUpstreams: Readonly<Record<string, string>> | undefined
  /**
   * Loads the definitions again: evaluates the files that changed, and all files that import them. The built-in
   * aggregates have no files.
   */
  readonly reload: (() => Promise<Catalogue>) | undefined
  /** Returns the folders in which a change can change the definitions. The built-in aggregates have no such folders. */
  readonly folders: () => ReadonlySet<string>
  /** Returns true if a file of the definitions was written, added or removed since they were loaded. */
  readonly changed: () => boolean
  /** Returns the state of the files of the definitions when they were loaded. */
  readonly files: () => FilesState
  readonly close: () => Promise<void>
}

export interface CatalogueOptions {
  /** Files and folders of definitions. If the list is empty, the built-in aggregates are used. */
  readonly paths: readonly string[]
  /** Calls the public upstreams of the built-in aggregates instead of the demo upstreams. */
  readonly live: boolean
  /** The environment variables. Without them, no variable is required and upstreams cannot be called. @default none */
  readonly environment?: Variables
  /**
   * Origins of the demo upstreams of another process, by the name of the upstream.
   * @default demo upstreams are started in this process if they are needed
   */
  readonly demoUpstreams?: Readonly<Record<string, string>> | undefined
  /** The module whose default export receives the events of all runs. @default no module */
  readonly events?: string | undefined
}

/**
 * Opens definitions or the built-in aggregates.
 *
 * @throws `DefinitionsError` with all faults of the definitions.
 * @throws `ConfigError` with all faults of the environment variables.
 */
export function openCatalogue(options: CatalogueOptions): Promise<OpenCatalogue> {
  return options.paths.length === 0 ? builtIn(options) : given(options)
}

async function given({ paths, environment, events }: CatalogueOptions): Promise<OpenCatalogue> {
  const { createLoader } = await import('./loader.ts')
  const loader = createLoader(paths, events)
  const first = resolve(startFolder, paths[0] as string)
  const read = async (): Promise<Catalogue> => {
    const { aggregates, upstreams, specs, evaluated, onEvent } = await loader.load()
    const config = readConfig(environment ?? {}, upstreams)
    checkOverrides(specs, config.overrides)
    const secrets = environment === undefined ? [] : readSecrets(specs, config.overrides, environment, loader.track)
    return {
      aggregates,
      config,
      overrides: config.overrides,
      specs,
      batchOperations: batchOperationsOf(specs),
      environment: environment ?? {},
      info: { ...packageInfo(first), ...config.info },
      secrets,
      upstreams: 'as declared',
      evaluated: evaluated.map(shownPath),
      onEvent,
    }
  }
  try {
    return {
      ...(await read()),
      demoUpstreams: undefined,
      reload: read,
      folders: loader.folders,
      changed: loader.changed,
      files: loader.files,
      close: async () => loader.close(),
    }
  } catch (error) {
    loader.close()
    throw error
  }
}

/** The faults of a healthy upstream: they are rare, and the next attempt usually succeeds. */
const occasionalFaults = { faultRate: 0.02, faultKinds: ['reset', 'error'] } as const

async function builtIn({
  live,
  environment,
  demoUpstreams: running,
  events,
}: CatalogueOptions): Promise<OpenCatalogue> {
  const [{ aggregates }, { info }, { upstreams }, { specOf }] = await Promise.all([
    import('../routes/index.ts'),
    import('../routes/info.ts'),
    import('../clients/index.ts'),
    import('../upstream/declare.ts'),
  ])
  const specs = upstreams.map(upstream => specOf(upstream))
  const config = readConfig(
    environment ?? {},
    specs.map(({ name }) => name),
  )
  checkOverrides(specs, config.overrides)
  const secrets = environment === undefined ? [] : readSecrets(specs, config.overrides, environment)
  const listener = events === undefined ? undefined : await openListener(events)
  const started =
    live || running !== undefined
      ? undefined
      : await (await import('../demo-upstreams/index.ts')).startDemoUpstreams(occasionalFaults)
  const demoUpstreams = running ?? started?.origins
  const origins = Object.entries(demoUpstreams ?? {}).map(
    ([name, origin]) => [name, demoOverride(origin, config.overrides[name])] as const,
  )
  const catalogue: Catalogue = {
    aggregates,
    config,
    overrides: { ...config.overrides, ...Object.fromEntries(origins) },
    specs,
    batchOperations: batchOperationsOf(specs),
    environment: environment ?? {},
    info: { ...info, ...config.info },
    secrets,
    upstreams: live ? 'public' : 'demo',
    evaluated: [],
    onEvent: listener?.onEvent,
  }
  return {
    ...catalogue,
    demoUpstreams,
    reload: undefined,
    folders: () => new Set(),
    changed: () => false,
    files: () => ({ listed: '', stamps: [] }),
    close: async () => {
      listener?.close()
      await started?.close()
    },
  }
}

/** Returns the override of a demo upstream. Origins of the environment replace its own. */
function demoOverride(origin: string, override: Override = {}): Override {
  return override.origins === undefined ? { origin, ...override } : override
}

/** Loads a listener without definitions. */
async function openListener(events: string): Promise<{ readonly onEvent: OnEvent | undefined; close(): void }> {
  const { createLoader } = await import('./loader.ts')
  const { load, close } = createLoader([], events)
  try {
    return { onEvent: (await load()).onEvent, close }
  } catch (error) {
    close()
    throw error
  }
}
