import type { BulkRun } from './bulk-run.ts'
import type { ChunkClaims, Release } from './chunk-claims.ts'
import { chunksOf, type Journal } from './journal.ts'
import { namesOf, numbered } from './names.ts'
import { summaryOf } from './result-chunk.ts'
import { Results } from './results.ts'

/** A chunk that this process may run. */
export interface ClaimedChunk {
  /** The number of the chunk, from 1. */
  readonly number: number
  readonly release: Release
}

/** The work of this process on one run: the results that it knows, and the chunk with which the next search begins. */
export class RunWork {
  readonly results: Results
  readonly #run: BulkRun
  readonly #journal: Journal
  readonly #claims: ChunkClaims
  #cursor = 1

  constructor(run: BulkRun, journal: Journal, claims: ChunkClaims) {
    this.#run = run
    this.#journal = journal
    this.#claims = claims
    this.results = new Results(journal.store, run)
  }

  /** True if every chunk has results. */
  get isComplete(): boolean {
    return this.results.size === chunksOf(this.#run)
  }

  /**
   * Claims the next chunk without results. After the last chunk, it reads the results of other processes and returns
   * undefined, and the next call begins with the first chunk again.
   */
  async claim(): Promise<ClaimedChunk | undefined> {
    while (this.#cursor <= chunksOf(this.#run)) {
      const number = this.#cursor++
      if (this.results.has(number)) continue
      const release = await this.#claims.claim(this.#run.id, numbered(number))
      if (release === undefined) continue
      if (!(await this.#journal.store.has(this.#nameOf(number)))) return { number, release }
      await release()
    }
    await this.results.refresh()
    this.#cursor = 1
    return undefined
  }

  /** Stores the results of a chunk. Returns false if another process has stored results of the same chunk. */
  async store(number: number, object: Buffer): Promise<boolean> {
    if (!(await this.#journal.store.create(this.#nameOf(number), object))) return false
    this.results.add(number, summaryOf(object))
    return true
  }

  #nameOf(number: number): string {
    const { owner, id } = this.#run
    return `${namesOf(owner, id).results}/${numbered(number)}`
  }
}
