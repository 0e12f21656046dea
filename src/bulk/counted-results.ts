import pLimit from 'p-limit'
import type { Manifest } from './bulk-run.ts'
import { chunksOf } from './journal.ts'
import { chunkItems, namesOf, numbered } from './names.ts'
import type { BulkStore } from './object-store.ts'
import { headerBytes, summaryOf, type ResultCounts } from './result-chunk.ts'

/** The number of chunks whose summary is read at the same time. */
const readsAtOnce = 16

const readBefore = 1

/**
 * The results of one run in numbers. A look lists the chunks and reads only the summaries of new ones. It keeps one
 * byte per chunk, so the numbers of many large runs fit in memory.
 */
export class CountedResults {
  /** The number of items with a result. */
  done = 0
  readonly #store: BulkStore
  readonly #run: Manifest
  readonly #chunks: Uint8Array
  #counts: ResultCounts = { succeeded: 0, partial: 0, failed: 0 }
  #listed = 0
  #read = 0

  constructor(store: BulkStore, run: Manifest) {
    this.#store = store
    this.#run = run
    this.#chunks = new Uint8Array(chunksOf(run) + 1)
  }

  /** The results by kind; undefined until the summaries of all listed chunks were read. */
  get counts(): ResultCounts | undefined {
    return this.#read === this.#listed ? this.#counts : undefined
  }

  /**
   * Lists the chunks with results, and reads summaries that are new.
   *
   * @param most The largest number of summaries to read. A later call reads the others.
   * @returns The number of summaries that were read.
   */
  async refresh(most: number): Promise<number> {
    const folder = namesOf(this.#run).results
    const numbers = (await this.#store.list(folder)).map(Number)
    this.#listed = numbers.length
    this.done = this.#itemsOf(numbers)
    const added = numbers.filter(number => this.#chunks[number] !== readBefore).slice(0, Math.max(0, most))
    const before = this.#read
    await pLimit(readsAtOnce).map(added, async number => {
      const header = await this.#store.read(`${folder}/${numbered(number)}`, { start: 0, end: headerBytes })
      // The run was removed.
      if (header !== undefined) this.#add(number, summaryOf(header))
    })
    return this.#read - before
  }

  /** Every chunk has the same number of items, except the last one of the run. */
  #itemsOf(numbers: readonly number[]): number {
    const chunks = chunksOf(this.#run)
    const missing = numbers.includes(chunks) ? chunks * chunkItems - this.#run.items : 0
    return numbers.length * chunkItems - missing
  }

  #add(number: number, { succeeded, partial, failed }: ResultCounts): void {
    this.#chunks[number] = readBefore
    this.#read++
    this.#counts = {
      succeeded: this.#counts.succeeded + succeeded,
      partial: this.#counts.partial + partial,
      failed: this.#counts.failed + failed,
    }
  }
}
