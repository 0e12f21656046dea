import type {
  AggregateInfo,
  BreakerChange,
  Hello,
  History,
  Sample,
  UpstreamHistory,
  UpstreamInfo,
  WorkerSample,
} from '../dashboard/protocol.ts'
import { AggregateState, type WatchedAggregate } from './aggregate-state.ts'
import { PointClock, pointMs } from './history.ts'
import type { ProcessSample } from './process-sample.ts'
import { rounded } from './percentiles.ts'
import { UpstreamState, type WatchedUpstream } from './upstream-state.ts'
import { verdictOf } from './verdict.ts'

/** The largest number of breaker changes that are kept. */
const maxBreakers = 50

/** The time by which the clock of the machine may step back without an effect, in ms. */
const maxStepBackMs = 3000

/** The upstreams and aggregates of a service, as far as the overview needs them. */
export interface Watched {
  readonly upstreams: readonly WatchedUpstream[]
  readonly aggregates: readonly WatchedAggregate[]
}

/** The parts of `hello` that the overview knows. */
export type OverviewHello = Pick<Hello, 'upstreams' | 'aggregates' | 'breakers' | 'now'> & {
  readonly history: PointsOfAll
}

/** The points of all names, which are numbers until they become text. */
export interface PointsOfAll {
  readonly from: number
  readonly every: number
  readonly upstreams: readonly Readonly<Record<keyof History['upstreams'][number], Float32Array>>[]
  readonly aggregates: readonly Readonly<Record<keyof History['aggregates'][number], Float32Array>>[]
}

/**
 * The state of a service now and in the last two minutes, from the samples of its processes. It has no clock and no
 * timer: each sample has its moment.
 */
export class Overview {
  #clock: PointClock
  #watched: Watched = { upstreams: [], aggregates: [] }
  #upstreams: ReadonlyMap<string, UpstreamState> = new Map()
  #aggregates: ReadonlyMap<string, AggregateState> = new Map()
  #breakers: BreakerChange[] = []
  #at: number
  #workers: readonly WorkerSample[] = []

  /** @param at - The present, in ms since 1970. */
  constructor(watched: Watched, at: number) {
    this.#at = at
    this.#clock = new PointClock(at)
    this.define(watched)
  }

  /**
   * Sets the upstreams and aggregates. Those whose names stay keep their state. Which upstreams an aggregate uses is
   * learnt again.
   */
  define(watched: Watched): void {
    this.#watched = watched
    this.#upstreams = new Map(
      watched.upstreams.map(upstream => {
        const state = this.#upstreams.get(upstream.name) ?? new UpstreamState(upstream, this.#at)
        state.isOff = upstream.isOff
        state.forgetUse()
        return [upstream.name, state]
      }),
    )
    this.#aggregates = new Map(
      watched.aggregates.map(aggregate => [
        aggregate.name,
        this.#aggregates.get(aggregate.name) ?? new AggregateState(aggregate),
      ]),
    )
  }

  /**
   * Adds a sample. Names that are not defined are left out.
   *
   * @param at - The moment of the sample, in ms since 1970.
   * @param workers - The worker processes. @default none
   * @returns `begun again` if the clock has stepped back, so that all windows and points before were dropped.
   */
  apply(
    at: number,
    { upstreams, aggregates }: ProcessSample,
    workers: readonly WorkerSample[] = [],
  ): 'continued' | 'begun again' {
    const isStep = at < this.#at - maxStepBackMs
    if (isStep) this.#beginAgain(at)
    this.#at = at
    this.#workers = workers
    const range = this.#clock.advance(at)
    const rowsOfUpstreams = new Map(upstreams.map(row => [row.name, row]))
    for (const [name, state] of this.#upstreams) state.apply(at, this.#clock, range, rowsOfUpstreams.get(name))
    const rowsOfAggregates = new Map(aggregates.map(row => [row.name, row]))
    for (const [name, state] of this.#aggregates) state.apply(at, this.#clock, range, rowsOfAggregates.get(name))
    return isStep ? 'begun again' : 'continued'
  }

  /** Notes that a breaker has changed. The health of its upstream changes at once. */
  breakerChanged(change: BreakerChange): void {
    this.#breakers.push(change)
    if (this.#breakers.length > maxBreakers) this.#breakers.shift()
    this.#upstreams.get(change.upstream)?.breakerChanged(change.at, change.to, this.#workers.length > 0)
  }

  /** Notes that an aggregate has called an upstream. */
  used(aggregate: string, upstream: string): void {
    if (this.#aggregates.has(aggregate)) this.#upstreams.get(upstream)?.used(aggregate)
  }

  /** Returns the event of the last sample, with a row for each name that has changed. */
  sample(): Sample {
    return this.#sample(({ isChanged }) => isChanged)
  }

  /** Returns the state of all names and their points. */
  hello(): OverviewHello {
    const clock = this.#clock
    return {
      upstreams: this.#watched.upstreams.map(({ name, origin, operations }): UpstreamInfo => ({
        name,
        origin,
        operations,
        usedBy: (this.#upstreams.get(name) as UpstreamState).usedBy,
      })),
      aggregates: this.#watched.aggregates.map(({ name, method, url }): AggregateInfo => ({ name, method, url })),
      breakers: [...this.#breakers],
      history: {
        from: clock.from,
        every: pointMs,
        upstreams: Array.from(this.#upstreams.values(), state => ({
          attempts: state.points(clock, 'attempts'),
          failed: state.points(clock, 'failedAttempts'),
          p95: state.points(clock, 'p95'),
        })),
        aggregates: Array.from(this.#aggregates.values(), state => ({
          runs: state.points(clock, 'runs'),
          partial: state.points(clock, 'partial'),
          failed: state.points(clock, 'failed'),
        })),
      },
      now: this.#sample(() => true),
    }
  }

  /** Returns all series of an upstream; `undefined` for an unknown name. */
  historyOf(upstream: string): UpstreamHistory | undefined {
    return this.#upstreams.get(upstream)?.history(this.#clock)
  }

  /** Without it, windows and points would stand still until the clock is where it was. */
  #beginAgain(at: number): void {
    this.#clock = new PointClock(at)
    this.#breakers = []
    this.#upstreams = new Map(Array.from(this.#upstreams, ([name, state]) => [name, state.begunAgain(at)]))
    this.#aggregates = new Map(Array.from(this.#aggregates, ([name, state]) => [name, new AggregateState(state)]))
  }

  #sample(isShown: (state: { readonly isChanged: boolean }) => boolean): Sample {
    const upstreams = [...this.#upstreams.values()]
    const aggregates = [...this.#aggregates.values()]
    return {
      type: 'sample',
      at: this.#at,
      verdict: verdictOf(this.#at, upstreams, aggregates),
      upstreams: upstreams.flatMap((state, index) => (isShown(state) ? [state.sample(index)] : [])),
      aggregates: aggregates.flatMap((state, index) => (isShown(state) ? [state.sample(index)] : [])),
      workers: this.#workers,
    }
  }
}

/** Returns points as they are sent: with three digits, and `null` for NaN. */
export function sentPoints(values: Float32Array): (number | null)[] {
  return Array.from(values, value => (Number.isNaN(value) ? null : rounded(value)))
}
