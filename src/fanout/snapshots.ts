import type { AnyAggregate } from './aggregate.ts'
import { FrozenCopies } from './frozen-copies.ts'
import { isThenable } from './is-thenable.ts'
import type { PartialValues } from './partial-values.ts'
import type { SnapshotControl } from './run-progress.ts'
import {
  hasSnapshots,
  isBetter,
  mergeSnapshot,
  readSnapshotData,
  type SnapshotInvoker,
  type SnapshotMark,
} from './snapshot-merge.ts'

/** The part of a run that its snapshots use. */
export interface SnapshotRun extends SnapshotInvoker {
  /** True if optional steps are shed, because the service is under load. */
  readonly shedOptional: boolean
  /** True while steps are in progress and the deadline has not passed. */
  readonly isInProgress: boolean
  /** Returns the values so far; undefined if a step has neither a value nor a fallback, or if all have ended. */
  soFar(): PartialValues | undefined
}

/** Receives the snapshots of one run. */
export interface SnapshotTarget {
  /** False while a snapshot would have to wait for its reader, or the service is under load. */
  readonly acceptsSnapshots: boolean
  /**
   * @param pending the names of the steps that have not ended
   * @throws anything, if the data cannot be written; the snapshot is then dropped
   */
  snapshotTaken(data: unknown, pending: readonly string[]): void
  /** Receives the reason for which a snapshot is dropped: an error of its merge, or of the schema of the reply. */
  snapshotDropped(error: unknown, pending: readonly string[]): void
}

/** The shortest time between two snapshots, in ms. */
const interval = 50

/** The time between two snapshots, as a multiple of the time that the first one took. */
const costFactor = 10

/**
 * The snapshots of one run: the data of the reply as far as it is known. A snapshot is taken at the end of a turn of
 * the event loop in which a value has arrived, if the target accepts it. No snapshot has fewer values than the one
 * before it, and each one is valid by the schema of the reply.
 */
export class Snapshots implements SnapshotControl {
  readonly #aggregate: AnyAggregate
  readonly #run: SnapshotRun
  readonly #target: SnapshotTarget
  #copies = new FrozenCopies()
  /**
   * No value has arrived since the last snapshot, a snapshot will be taken, an async merge is in progress, the target
   * did not accept a snapshot, or no snapshot will be taken any more.
   */
  #state: 'idle' | 'armed' | 'merging' | 'blocked' | 'ended' = 'idle'
  /** True if a value has arrived during an async merge. */
  #hasChanged = false
  #last: SnapshotMark | undefined
  #notBefore = 0
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(aggregate: AnyAggregate, run: SnapshotRun, target: SnapshotTarget) {
    this.#aggregate = aggregate
    this.#run = run
    this.#target = target
    if (!hasSnapshots(aggregate) || run.shedOptional) this.#state = 'ended'
  }

  changed(): void {
    if (this.#state === 'idle' || this.#state === 'blocked') this.#arm()
    else this.#hasChanged = true
  }

  resume(): void {
    if (this.#state === 'blocked') this.#arm()
  }

  end(): void {
    this.#state = 'ended'
    // A slow reader may keep this object long after the run.
    this.#copies = new FrozenCopies()
    clearImmediate(this.#immediate)
    clearTimeout(this.#timer)
  }

  #arm(): void {
    this.#state = 'armed'
    const wait = this.#notBefore - performance.now()
    if (wait <= 0) this.#immediate = setImmediate(this.#take)
    else this.#timer = setTimeout(this.#take, Math.ceil(wait))
  }

  readonly #take = (): void => {
    // A timer counts from the start of the turn in which it was set, so it may be early.
    if (performance.now() < this.#notBefore) return this.#arm()
    this.#state = 'idle'
    if (!this.#run.isInProgress) return
    const values = this.#run.soFar()
    if (values === undefined || !isBetter(this.#aggregate, values, this.#last)) return
    if (this.#target.acceptsSnapshots) this.#merge(values)
    else this.#state = 'blocked'
  }

  #merge(values: PartialValues): void {
    const { arrived, pending } = values
    const startedAt = performance.now()
    this.#state = 'merging'
    this.#hasChanged = false
    this.#last = { arrived, pending }
    let merged: unknown
    let isAsync: boolean
    try {
      merged = mergeSnapshot(this.#aggregate, this.#run, values, this.#copies)
      isAsync = isThenable(merged)
    } catch (error) {
      return this.#drop(error, pending, startedAt)
    }
    if (isAsync)
      Promise.resolve(merged).then(
        value => this.#read(value, pending, startedAt),
        (error: unknown) => this.#drop(error, pending, startedAt),
      )
    else this.#read(merged, pending, startedAt)
  }

  #read(merged: unknown, pending: readonly string[], startedAt: number): void {
    // The merge may have come too late.
    if (this.#isOver) return
    try {
      const data = readSnapshotData(this.#aggregate, merged)
      // A function of the schema may have cancelled the run.
      if (!this.#isOver) this.#target.snapshotTaken(data, pending)
    } catch (error) {
      return this.#drop(error, pending, startedAt)
    }
    this.#rest(startedAt)
  }

  #drop(error: unknown, pending: readonly string[], startedAt: number): void {
    if (this.#isOver) return
    this.#target.snapshotDropped(error, pending)
    if (this.#copies.isFull) this.end()
    this.#rest(startedAt)
  }

  /** True if the snapshot comes too late: the stream has ended, or the reply is being built. */
  get #isOver(): boolean {
    return this.#state !== 'merging' || !this.#run.isInProgress
  }

  /** Waits before the next snapshot. */
  #rest(startedAt: number): void {
    if (this.#isOver) return
    const now = performance.now()
    this.#notBefore = now + Math.max(interval, costFactor * (now - startedAt))
    this.#state = 'idle'
    if (this.#hasChanged) this.#arm()
  }
}
