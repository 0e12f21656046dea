import type { FastifyBaseLogger } from 'fastify'
import type { LoadedDefinitions, RefusedReload } from '../../http/lifecycle/health.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { countReloads, type ReloadCounts } from './reload-metrics.ts'

export interface ReloadsOptions {
  readonly log: FastifyBaseLogger
  /** The metrics of the service that count the reloads. */
  readonly metrics: Metrics
  /**
   * Serves the definitions as their files are now. Returns the fields of the log line. Rejects if they are refused: the
   * previous definitions are then still served. `undefined` if the definitions have no files.
   */
  readonly reload: (() => Promise<object>) | undefined
  /** Called after a reload was refused. */
  readonly onRefused?: (refused: RefusedReload) => void
}

/**
 * The reloads of a service, one at a time. A request during a reload causes one more reload after it, because the files
 * may have changed after they were read.
 */
export class Reloads {
  readonly #options: ReloadsOptions
  readonly #counts: ReloadCounts
  #definitions: LoadedDefinitions = { loadedAt: new Date().toISOString() }
  #running: Promise<void> | undefined
  #isDue = false
  #isOver = false

  constructor(options: ReloadsOptions) {
    this.#options = options
    this.#counts = countReloads(options.metrics)
  }

  /** The definitions that are served. */
  get definitions(): LoadedDefinitions {
    return this.#definitions
  }

  /** Reloads the definitions. Resolves when a reload has ended that began after the call. */
  async request(): Promise<void> {
    if (this.#isOver) return
    this.#isDue = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
    await this.#running
  }

  /**
   * Ends the reloads, because the service ends. The workers of a reload under way end, so it fails, which is neither
   * logged nor counted.
   */
  end(): void {
    this.#isOver = true
    this.#isDue = false
  }

  /** Reports that the files cannot be read or watched. The previous definitions are still served. */
  refuse(error: unknown): void {
    if (this.#isOver) return
    const at = new Date()
    const faults = faultsOf(error)
    const { log, onRefused } = this.#options
    log.error(
      faults === undefined ? { err: error } : { faults },
      'reload failed; the previous definitions are still served',
    )
    this.#counts.count('refused', at)
    const refused = { at: at.toISOString(), faults: faults?.length ?? 1 }
    this.#definitions = { ...this.#definitions, refused }
    onRefused?.(refused)
  }

  /**
   * Shows the definitions as loaded now: all workers were replaced, and have loaded the files. A reload that was
   * refused after `since` is still shown.
   *
   * @param since - The time at which the restart began.
   */
  restarted(since: number): void {
    const { refused } = this.#definitions
    if (refused !== undefined && Date.parse(refused.at) >= since) return
    this.#definitions = { loadedAt: new Date().toISOString() }
    this.#counts.accept()
  }

  async #run(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false
      await this.#reload()
    }
  }

  async #reload(): Promise<void> {
    const { log, reload } = this.#options
    if (reload === undefined) {
      log.info('no reload; the built-in aggregates have no files')
      return
    }
    try {
      const fields = await reload()
      if (this.#isOver) return
      const at = new Date()
      this.#counts.count('ok', at)
      this.#definitions = { loadedAt: at.toISOString() }
      log.info(fields, 'definitions reloaded')
    } catch (error) {
      this.refuse(error)
    }
  }
}

/** Returns true for an error of the definitions or the configuration, also if another process has sent it. */
export function isFaulty(error: unknown): error is Error {
  return error instanceof Error && (error.name === 'DefinitionsError' || error.name === 'ConfigError')
}

/** Returns the faults of the user; `undefined` for any other error. */
function faultsOf(error: unknown): readonly string[] | undefined {
  return isFaulty(error) ? error.message.split('\n') : undefined
}
