import type { AnyAggregate } from '../fanout/aggregate.ts'
import { FrozenCopies } from '../fanout/frozen-copies.ts'
import type { PartialValues } from '../fanout/partial-values.ts'
import type { Run } from '../fanout/run.ts'
import type { RunProgress } from '../fanout/run-progress.ts'
import {
  faultOfSnapshot,
  hasSnapshots,
  isBetter,
  mergeSnapshot,
  readSnapshotData,
  type SnapshotMark,
} from '../fanout/snapshot-merge.ts'

/** A snapshot of a test run: the data of the reply as far as it was known. */
export interface TestedSnapshot<D> {
  /** The data, read by the schema of the reply. */
  readonly data: D
  /** The names of the steps that had not ended. */
  readonly pending: readonly string[]
}

/**
 * Takes a snapshot whenever a value has arrived. A stream takes fewer of them, because it waits between two snapshots:
 * which ones depends on the time, and a test must not.
 */
export class EverySnapshot implements RunProgress {
  readonly #aggregate: AnyAggregate
  readonly #copies = new FrozenCopies()
  readonly #taken: Promise<TestedSnapshot<unknown> | undefined>[] = []
  #run: Run | undefined
  #last: SnapshotMark | undefined
  /** The first snapshot that could not be made. */
  #fault: Error | undefined

  constructor(aggregate: AnyAggregate) {
    this.#aggregate = aggregate
  }

  /** Called when the run has been created, before it starts. */
  attach(run: Run): void {
    if (hasSnapshots(this.#aggregate)) this.#run = run
  }

  planned(): void {}

  itemEnded(): void {
    this.#take()
  }

  pageEnded(): void {
    this.#take()
  }

  stepEnded(): void {
    this.#take()
  }

  /**
   * Returns the snapshots, in order.
   *
   * @throws Error for the first snapshot that a stream would have dropped
   */
  async all(): Promise<readonly TestedSnapshot<unknown>[]> {
    const all = await Promise.all(this.#taken)
    if (this.#fault !== undefined) throw this.#fault
    return all.filter(snapshot => snapshot !== undefined)
  }

  #take(): void {
    if (this.#run?.isInProgress !== true) return
    const values = this.#run.soFar()
    if (values === undefined || !isBetter(this.#aggregate, values, this.#last)) return
    this.#last = { arrived: values.arrived, pending: values.pending }
    this.#taken.push(this.#made(this.#run, values))
  }

  async #made(run: Run, values: PartialValues): Promise<TestedSnapshot<unknown> | undefined> {
    const { pending } = values
    try {
      // The merge is invoked before the first await, with the values of now.
      const merged = await mergeSnapshot(this.#aggregate, run, values, this.#copies)
      return { data: readSnapshotData(this.#aggregate, merged), pending }
    } catch (error) {
      // An async merge that has reacted to the end of the run comes too late.
      if (!run.abort.aborted || error !== run.abort.reason)
        this.#fault ??= new Error(faultOfSnapshot(this.#aggregate, pending), { cause: error })
      return undefined
    }
  }
}
