import type { FastifyInstance } from 'fastify'
import type { Catalogue, OpenCatalogue } from '../../definitions/catalogue.ts'
import type { LoadedDefinitions } from '../../http/lifecycle/health.ts'
import type { ServiceListener } from '../process/service-listener.ts'
import type { Answers } from './answers.ts'
import type { ReloadAnswer, ReloadStep } from './reload-messages.ts'

export interface WorkerReloadOptions {
  readonly reload: NonNullable<OpenCatalogue['reload']>
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
  #prepared: Prepared | undefined
  /** The last step. A step that arrives before its end waits for it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: WorkerReloadOptions) {
    this.#options = options
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
      return JSON.stringify({ faults: await step } satisfies ReloadAnswer)
    })
  }

  async #do(step: ReloadStep): Promise<readonly string[]> {
    switch (step.step) {
      case 'prepare':
        return this.#prepare()
      case 'commit':
        return this.#commit()
      case 'drop':
        await this.#drop()
        return []
      case 'refused':
        this.#definitions = { ...this.#definitions, refused: step.refused }
        return []
    }
  }

  async #prepare(): Promise<readonly string[]> {
    const { reload, build } = this.#options
    try {
      await this.#drop()
      const catalogue = await reload()
      this.#prepared = { catalogue, app: await build(catalogue) }
      return []
    } catch (error) {
      return String((error as Error).message).split('\n')
    }
  }

  #commit(): readonly string[] {
    if (this.#prepared === undefined) return ['the worker has no definitions that it can serve']
    const { catalogue, app } = this.#prepared
    this.#prepared = undefined
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
