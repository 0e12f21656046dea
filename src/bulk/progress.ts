import pLimit from 'p-limit'
import { hasEnded, type BulkRun } from './bulk-run.ts'
import { CountedResults } from './counted-results.ts'
import type { Journal } from './journal.ts'
import type { ResultCounts } from './result-chunk.ts'

/** A run with its progress. */
export interface RunProgress {
  readonly run: BulkRun
  /** The number of items with a result. */
  readonly done: number
  /** The results by kind; undefined while the results of earlier chunks are still being counted. */
  readonly counts: ResultCounts | undefined
}

/** The runs of a journal at one time. */
export interface Progress {
  /** The newest runs that have not ended, and then the newest ended ones. */
  readonly runs: readonly RunProgress[]
  /** The number of all runs. */
  readonly all: number
}

/** The largest number of runs in one look. */
export const mostRuns = 100

/** The largest number of summaries of chunks that one look reads. */
const mostSummaries = 2000

/** The number of runs that are read at the same time. */
const readsAtOnce = 16

/** The time after the end of a run from which on it gets no further results, in ms. */
const settledMs = 10_000

interface Known {
  readonly run: BulkRun
  readonly results: CountedResults
  /** True if no result can be added to those that were counted. */
  readonly isFinal: boolean
}

/**
 * Follows the runs of all owners of a journal. What was counted is kept, so a look costs little: it reads the state of
 * the shown runs, and the summaries of new chunks.
 */
export class ProgressReader {
  readonly #journal: Journal
  readonly #now: () => number
  #known = new Map<string, Known>()
  #shown: ReadonlySet<string> = new Set()

  /** @param now The time in ms since the epoch. @default that of the system */
  constructor(journal: Journal, now: () => number = Date.now) {
    this.#journal = journal
    this.#now = now
  }

  /** Reads the runs as they are now. Call it again when the call before has ended. */
  async look(): Promise<Progress> {
    const at = this.#now()
    await this.#find()
    const shown = Array.from(this.#known)
      .sort(([, { run }], [, other]) => byOrder(run, other.run))
      .slice(0, mostRuns)
    this.#shown = new Set(shown.map(([id]) => id))
    let left = mostSummaries
    const runs: RunProgress[] = []
    for (const [id, known] of shown) {
      const { run, results } = known
      if (!known.isFinal) {
        left -= await results.refresh(left)
        const isSettled = run.endedAt !== undefined && at - run.endedAt > settledMs
        if (isSettled && results.counts !== undefined) this.#known.set(id, { ...known, isFinal: true })
      }
      runs.push({ run, done: results.done, counts: results.counts })
    }
    return { runs, all: this.#known.size }
  }

  /** Reads the runs that are new, those that have not ended, and those that were shown before. */
  async #find(): Promise<void> {
    const found = new Map<string, Known>()
    await pLimit(readsAtOnce).map(await this.#journal.all(), async ({ owner, id }) => {
      const known = this.#known.get(id)
      if (known !== undefined && hasEnded(known.run) && !this.#shown.has(id)) return void found.set(id, known)
      const run = await this.#journal.find(owner, id)
      if (run === undefined) return
      // A run that was removed can be created again with the same id.
      const isSame = known?.run.upload === run.upload
      found.set(
        id,
        isSame ? { ...known, run } : { run, results: new CountedResults(this.#journal.store, run), isFinal: false },
      )
    })
    this.#known = found
  }
}

function byOrder(one: BulkRun, other: BulkRun): number {
  return Number(hasEnded(one)) - Number(hasEnded(other)) || other.createdAt - one.createdAt
}
