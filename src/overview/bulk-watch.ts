import type { BulkRuns } from '../dashboard/protocol.ts'

/** The store of the bulk runs, as the dashboard reads it. */
export interface BulkSource {
  /**
   * Reads the runs as they are now.
   *
   * @param offered The names of the aggregates that the service offers for bulk runs.
   */
  readonly read: (offered: ReadonlySet<string>) => Promise<Pick<BulkRuns, 'rows' | 'all'>>
}

/** The shortest time between the starts of two looks, in ms. */
export const lookMs = 1000

/** The pause after a look, in durations of the look: looks take at most a tenth of the time. */
const pauseRatio = 9

const unread: BulkRuns = { type: 'bulk', at: 0, status: 'unread', rows: [], all: 0 }

/**
 * Looks at the bulk runs while a dashboard is open and an aggregate has `bulk: true`. Only one process of a service
 * does so, because all of them share the store.
 */
export class BulkWatch {
  readonly #source: BulkSource
  readonly #emit: (event: BulkRuns) => void
  #offered: ReadonlySet<string> = new Set()
  #isWatched = false
  #last = unread
  /** Ends the looks; undefined while there are none. */
  #end: (() => void) | undefined

  /** @param emit Called with each event that differs from the one before. */
  constructor(source: BulkSource, emit: (event: BulkRuns) => void) {
    this.#source = source
    this.#emit = emit
  }

  /** The last event; `null` if no aggregate has `bulk: true`. */
  get last(): BulkRuns | null {
    return this.#offered.size === 0 ? null : this.#last
  }

  /** Sets the names of the aggregates with `bulk: true`. */
  offer(names: readonly string[]): void {
    this.#offered = new Set(names)
    this.#update()
  }

  /** Starts the looks with the first dashboard, and ends them with the last one. */
  watch(isWatched: boolean): void {
    this.#isWatched = isWatched
    this.#update()
  }

  #update(): void {
    const isDue = this.#isWatched && this.#offered.size > 0
    if (isDue) this.#end ??= this.#start()
    else {
      this.#end?.()
      this.#end = undefined
      this.#last = unread
    }
  }

  /** Returns the function that ends the looks. */
  #start(): () => void {
    let isOver = false
    let timer: NodeJS.Timeout | undefined
    const look = async () => {
      const start = performance.now()
      const event = await this.#read()
      if (isOver) return
      if (differs(event, this.#last)) this.#emit(event)
      this.#last = event
      const took = performance.now() - start
      timer = setTimeout(() => void look(), Math.max(lookMs - took, pauseRatio * took)).unref()
    }
    void look()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }

  async #read(): Promise<BulkRuns> {
    try {
      const { rows, all } = await this.#source.read(this.#offered)
      return { type: 'bulk', at: Date.now(), status: 'read', rows, all }
    } catch {
      // The rows stay, with the time at which they were read.
      return { ...this.#last, status: 'unreadable' }
    }
  }
}

function differs(one: BulkRuns, other: BulkRuns): boolean {
  return JSON.stringify({ ...one, at: 0 }) !== JSON.stringify({ ...other, at: 0 })
}
