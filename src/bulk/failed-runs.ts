import { firstStorePause, nextStorePause } from './store-pauses.ts'

/** The runs that have failed, with pauses: the failure of one run must not stop the others. */
export class FailedRuns {
  readonly #runs = new Map<string, { readonly pauseMs: number; readonly until: number }>()

  /** True while a run has a pause. */
  isPausing(id: string): boolean {
    const failed = this.#runs.get(id)
    return failed !== undefined && performance.now() < failed.until
  }

  /** Adds a failure of a run. Returns the pause after it, in ms. */
  add(id: string): number {
    const last = this.#runs.get(id)
    const pauseMs = last === undefined ? firstStorePause : nextStorePause(last.pauseMs)
    this.#runs.set(id, { pauseMs, until: performance.now() + pauseMs })
    return pauseMs
  }

  delete(id: string): void {
    this.#runs.delete(id)
  }

  keys(): Iterable<string> {
    return this.#runs.keys()
  }
}
