import pLimit from 'p-limit'
import { namesOf, numbered, type NamedRun } from './names.ts'
import type { BulkStore, ByteRange } from './object-store.ts'
import { headerBytes, summaryOf, type ChunkSummary, type ResultCounts } from './result-chunk.ts'

/** The number of chunks whose summary is read at the same time. */
const readsAtOnce = 16

/** The size of the pieces in which results are read, in bytes. */
const pieceBytes = 65_536

/** The results of one run. They only grow, so what was read before stays valid. */
export class Results {
  readonly #store: BulkStore
  readonly #folder: string
  readonly #chunks = new Map<number, ChunkSummary>()
  #counts: ResultCounts = { succeeded: 0, partial: 0, failed: 0 }
  /** The number of chunks from the first one on without a gap, and the size of their lines. */
  #gapless = 0
  #bytes = 0

  constructor(store: BulkStore, run: NamedRun) {
    this.#store = store
    this.#folder = namesOf(run).results
  }

  /** Reads the summaries of chunks that are new. */
  async refresh(): Promise<void> {
    const limit = pLimit(readsAtOnce)
    const names = await this.#store.list(this.#folder)
    const added = names.filter(name => !this.#chunks.has(Number(name)))
    await limit.map(added, async name => {
      const header = await this.#store.read(`${this.#folder}/${name}`, { start: 0, end: headerBytes })
      // The run was removed.
      if (header !== undefined) this.add(Number(name), summaryOf(header))
    })
  }

  /** Adds the summary of a chunk. */
  add(chunk: number, summary: ChunkSummary): void {
    if (this.#chunks.has(chunk)) return
    this.#chunks.set(chunk, summary)
    const { succeeded, partial, failed } = this.#counts
    this.#counts = {
      succeeded: succeeded + summary.succeeded,
      partial: partial + summary.partial,
      failed: failed + summary.failed,
    }
    for (
      let next = this.#chunks.get(this.#gapless + 1);
      next !== undefined;
      next = this.#chunks.get(this.#gapless + 1)
    ) {
      this.#gapless++
      this.#bytes += next.bytes
    }
  }

  has(chunk: number): boolean {
    return this.#chunks.has(chunk)
  }

  /** The number of chunks. */
  get size(): number {
    return this.#chunks.size
  }

  get counts(): ResultCounts {
    return this.#counts
  }

  /** The size of the lines that can be read: those before the first chunk without results, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** Yields the lines of a range of `bytes`, in pieces. */
  async *read({ start, end }: ByteRange): AsyncGenerator<Buffer, void, void> {
    let first = 0
    for (let chunk = 1; first < end; chunk++) {
      const { bytes } = this.#chunks.get(chunk) as ChunkSummary
      const name = `${this.#folder}/${numbered(chunk)}`
      const last = Math.min(bytes, end - first)
      for (let at = Math.max(0, start - first); at < last; at += pieceBytes) {
        const range = { start: headerBytes + at, end: headerBytes + Math.min(last, at + pieceBytes) }
        const piece = await this.#store.read(name, range)
        if (piece === undefined) throw new Error(`the results of the run were removed while they were read: ${name}`)
        yield piece
      }
      first += bytes
    }
  }
}
