import type { BulkRun } from './bulk-run.ts'
import { chunksOf, type Journal } from './journal.ts'
import { resultName } from './names.ts'
import { summaryOf } from './result-chunk.ts'
import { Results } from './results.ts'

/** The work of this process on one run: the results that it knows, and the chunk with which the next search begins. */
export class RunWork {
  readonly run: BulkRun
  readonly results: Results
  readonly #journal: Journal
  #cursor = 1

  constructor(run: BulkRun, journal: Journal) {
    this.run = run
    this.#journal = journal
    this.results = new Results(journal.store, run)
  }

  /** True if every chunk has results. */
  get isComplete(): boolean {
    return this.results.size === chunksOf(this.run)
  }

  /**
   * Returns the number of the next chunk of which this process knows no results. After the last chunk, it reads the
   * results of other processes and returns undefined, and the next call begins with the first chunk again.
   */
  async next(): Promise<number | undefined> {
    while (this.#cursor <= chunksOf(this.run)) {
      const number = this.#cursor++
      if (!this.results.has(number)) return number
    }
    await this.results.refresh()
    this.#cursor = 1
    return undefined
  }

  /** Begins the next search with the first chunk. */
  rewind(): void {
    this.#cursor = 1
  }

  /** Returns true if the store has results of a chunk. */
  isStored(number: number): Promise<boolean> {
    return this.#journal.store.has(resultName(this.run, number))
  }

  /** Stores the results of a chunk. Returns false if another process has stored results of the same chunk. */
  async store(number: number, object: Buffer): Promise<boolean> {
    if (!(await this.#journal.store.create(resultName(this.run, number), object))) return false
    this.results.add(number, summaryOf(object))
    return true
  }
}
