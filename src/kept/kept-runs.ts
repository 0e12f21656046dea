import type { AnyAggregate } from '../fanout/aggregate.ts'
import type {
  EndedRun,
  FollowedBatch,
  FollowedRequest,
  RunEnd,
  RunKeeper,
  RunTimeline,
} from '../fanout/run-timeline.ts'
import type { KeptRun, RunClass, RunList, RunRow } from '../waterfall/kept-run.ts'
import { describedAggregate, type DescribedRun } from './described.ts'
import { RateCap } from './rate-cap.ts'
import { keptRunOf, runRowOf, type ReadOptions } from './run-json.ts'
import type { RunFilter } from './run-source.ts'
import { runClasses, RunStore } from './run-store.ts'
import { positionOf, selectRuns } from './select-runs.ts'
import { Slowest } from './slowest.ts'
import { storedRun } from './stored-run.ts'
import { TapePool, type Tape } from './tape.ts'
import { Timeline, type TimelineOwner } from './timeline.ts'

export interface KeptRunsOptions {
  /** The largest number of kept runs, at least 1. */
  readonly limit: number
  /** The number of this worker. @default null: a service of one process */
  readonly worker?: number | null
  /** Returns a text without the secrets of the service. It is called when a run is read. */
  readonly hide: (text: string) => string
  /** A clock in ms. @default performance.now() */
  readonly now?: () => number
}

/** Receives the row of a run that is kept now. It must not throw. */
export type OnKept = (row: RunRow) => void

/** The limits on the runs that are kept per time, by class. Above them runs are not kept. */
const createCaps = (): Readonly<Record<RunClass, RateCap>> => ({
  failed: new RateCap(100, 1000),
  partial: new RateCap(100, 1000),
  slow: new RateCap(100, 1000),
  cancelled: new RateCap(100, 1000),
  // The first of each 100 ms, so that the list of a busy service shows how its runs usually look.
  complete: new RateCap(1, 100),
})

/**
 * The kept runs of this process: records each run while it is in flight, decides at its end whether it stays, and
 * reads it for the operator. Nothing is written to disk.
 */
export class KeptRuns implements RunKeeper, TimelineOwner {
  readonly #options: ReadOptions
  readonly #now: () => number
  readonly #pool = new TapePool()
  readonly #store: RunStore
  readonly #slowest: Slowest
  readonly #caps = createCaps()
  readonly #listeners = new Set<OnKept>()

  constructor({ limit, worker = null, hide, now = () => performance.now() }: KeptRunsOptions) {
    this.#options = { worker, hide }
    this.#now = now
    this.#store = new RunStore(limit)
    this.#slowest = new Slowest(now)
  }

  /** Returns the timeline of a run that starts now. A run that never starts costs nothing. */
  start(aggregate: AnyAggregate, request: FollowedRequest): RunTimeline {
    return this.#timeline(describedAggregate(aggregate), request)
  }

  /** Returns the timeline of a batch that starts now. Its steps are its calls. */
  startBatch(
    { name, route: { url } }: FollowedBatch,
    calls: readonly { readonly id: string; readonly needs: readonly string[] }[],
    request: FollowedRequest,
  ): RunTimeline {
    return this.#timeline(
      { name, url, steps: calls.map(({ id, needs }) => ({ name: id, kind: 'call', needs })) },
      request,
    )
  }

  startPart(aggregate: AnyAggregate, whole: Timeline): Timeline {
    const { requestId, traceId, credentials } = whole.request
    const { method, url } = aggregate.route
    return this.#timeline(describedAggregate(aggregate), {
      requestId,
      traceId,
      method,
      // The input of a part is in the body of the batch, so that its URL has no values.
      target: url,
      credentials,
      parent: whole.id,
    })
  }

  /** Calls a function with the row of each run that is kept. @returns A function that ends the calls. */
  onKept(listener: OnKept): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Returns a kept run, or `undefined` if it is not kept. */
  find(id: string): KeptRun | undefined {
    const run = this.#store.find(id)
    return run && keptRunOf(run, this.#options)
  }

  /** Returns the last kept runs, the oldest first, at most 100. */
  readonly recent = (): readonly RunRow[] => this.list({ limit: 100 }).runs.toReversed()

  /** Returns the kept runs that meet a filter, the newest first. */
  list(filter: RunFilter): RunList {
    const { selected, hasMore } = selectRuns(this.#store.runs(), filter, this.#options.worker)
    const last = selected.at(-1)
    const byClass = <T>(read: (runClass: RunClass) => T) =>
      Object.fromEntries(runClasses.map(name => [name, read(name)])) as Record<RunClass, T>
    return {
      runs: selected.map(run => runRowOf(run, this.#options)),
      next: hasMore && last !== undefined ? positionOf(last) : null,
      kept: byClass(name => this.#store.count(name)),
      oldest: byClass(name => {
        const run = this.#store.oldest(name)
        return run === undefined ? null : new Date(run.startedAt).toISOString()
      }),
      incomplete: [],
    }
  }

  take(): Tape {
    return this.#pool.take()
  }

  ended(timeline: Timeline, tape: Tape, end: RunEnd, run: EndedRun): void {
    const runClass = this.#classOf(timeline.described.name, end, run)
    if (this.#caps[runClass].passes(this.#now())) {
      const kept = storedRun(timeline, tape, end, run, runClass)
      if (this.#store.add(kept) && this.#listeners.size > 0) {
        const row = runRowOf(kept, this.#options)
        for (const listener of this.#listeners) listener(row)
      }
    }
    this.#pool.give(tape)
  }

  #timeline(described: DescribedRun, request: FollowedRequest): Timeline {
    return new Timeline(described, request, Date.now(), this)
  }

  /** Returns the class of a run. A complete run is slow if it used half of its deadline, or is one of the slowest. */
  #classOf(aggregate: string, { state, at }: RunEnd, { deadline }: EndedRun): RunClass {
    if (state !== 'complete') return state
    const isSlowest = this.#slowest.add(aggregate, at)
    return isSlowest || at >= deadline / 2 ? 'slow' : 'complete'
  }
}
