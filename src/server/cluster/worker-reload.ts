import type { FastifyInstance } from 'fastify'
import type { Catalogue, OpenCatalogue } from '../../definitions/catalogue.ts'
import type { LoadedDefinitions } from '../../http/lifecycle/health.ts'
import type { ServiceListener } from '../process/service-listener.ts'
import { routesOf } from '../process/service-app.ts'
import { watchedOf } from '../process/watched-names.ts'
import type { Answers } from './answers.ts'
import type { LoadedInWorker, ReloadAnswer, ReloadStep } from './reload-messages.ts'

export interface WorkerReloadOptions {
  /** The definitions that are served at first. */
  readonly catalogue: Catalogue
  readonly reload: NonNullable<OpenCatalogue['reload']>
  /** Returns the state of the files of the last load. */
  readonly files: OpenCatalogue['files']
  readonly listener: ServiceListener
  /** Builds the app that replaces the current one. */
  readonly build: (catalogue: Catalogue) => Promise<FastifyInstance>
  /** Called with the definitions that serve from now on. */
  readonly onSwapped: (catalogue: Catalogue, app: FastifyInstance) => void
}

/** Definitions that can be served. */
interface Prepared {
  readonly catalogue: Catalogue
  readonly app: FastifyInstance
}

/** The reloads of a worker. The primary decides in which step it is, so that all workers serve the same definitions. */
export class WorkerReload {
  readonly #options: WorkerReloadOptions
  #definitions: LoadedDefinitions = { loadedAt: new Date().toISOString() }
  #served: Catalogue
  #prepared: Prepared | undefined
  /** The last step. A step that arrives before its end waits for it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: WorkerReloadOptions) {
    this.#options = options
    this.#served = options.catalogue
  }

  /** The definitions that are served. */
  get definitions(): LoadedDefinitions {
    return this.#definitions
  }

  /** Answers the steps of the primary. */
  answer(answers: Answers): void {
    answers.set('reload', async text => {
      const step = this.#last.then(() => this.#do(JSON.parse(text) as ReloadStep))
      this.#last = step.catch(() => {})
      return JSON.stringify(await step)
    })
  }

  async #do(step: ReloadStep): Promise<ReloadAnswer> {
    switch (step.step) {
      case 'prepare':
        return this.#prepare()
      case 'commit':
        return { faults: this.#commit() }
      case 'drop':
        await this.#drop()
        return { faults: [] }
      case 'refused':
        this.#definitions = { ...this.#definitions, refused: step.refused }
        return { faults: [] }
      case 'describe':
        return { faults: [], loaded: describe(this.#served), files: this.#options.files() }
    }
  }

  async #prepare(): Promise<ReloadAnswer> {
    const { reload, build, files } = this.#options
    try {
      await this.#drop()
      const catalogue = await reload()
      this.#prepared = { catalogue, app: await build(catalogue) }
      return { faults: [], loaded: describe(catalogue), files: files() }
    } catch (error) {
      return { faults: String((error as Error).message).split('\n'), files: files() }
    }
  }

  #commit(): readonly string[] {
    if (this.#prepared === undefined) return ['the worker has no definitions that it can serve']
    const { catalogue, app } = this.#prepared
    this.#prepared = undefined
    this.#served = catalogue
    this.#options.listener.swap(app)
    this.#options.onSwapped(catalogue, app)
    this.#definitions = { loadedAt: new Date().toISOString() }
    return []
  }

  async #drop(): Promise<void> {
    await this.#prepared?.app.close()
    this.#prepared = undefined
  }
}

function describe(catalogue: Catalogue): LoadedInWorker {
  return { aggregates: routesOf(catalogue), evaluated: catalogue.evaluated, watched: watchedOf(catalogue) }
}
