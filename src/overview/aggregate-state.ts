import type { AggregateSample } from '../dashboard/protocol.ts'
import { Points, type PointClock, type PointRange } from './history.ts'
import { percentilesOf } from './percentiles.ts'
import { aggregateCountNames, type AggregateCounts } from './process-sample.ts'
import { WindowCounts, WindowNames } from './window-counts.ts'

type CountName = (typeof aggregateCountNames)[number]

const pointNames = ['runs', 'partial', 'failed'] as const

/** The length of the windows, in ms. */
const longWindow = 10_000
const shortWindow = 2000

const noCounts: readonly number[] = aggregateCountNames.map(() => 0)

/** The definition of an aggregate, as far as the overview needs it. */
export interface WatchedAggregate {
  readonly name: string
  readonly method: string
  readonly url: string
  /** True if it has `bulk: true`. */
  readonly isBulk: boolean
}

/** The runs of an aggregate in the last 10 s. */
export interface RecentRuns {
  readonly runs: number
  /** The runs per second in the last 2 s. */
  readonly rate: number
  readonly partial: number
  /** The failed runs without those that are the caller's fault. */
  readonly failed: number
  readonly topCode: string | null
  readonly topStatus: number | null
}

/** The present state of one aggregate and its last two minutes. */
export class AggregateState {
  readonly name: string
  readonly #points = new Points(pointNames)
  readonly #latency = new WindowCounts(longWindow)
  readonly #outcomes = new WindowCounts(longWindow)
  readonly #ended = new WindowCounts(shortWindow)
  readonly #codes = new WindowNames(longWindow)
  readonly #statuses = new WindowNames(longWindow)
  #counts = noCounts
  #p95: number | null = null
  #topCode: string | null = null
  #topStatus: number | null = null
  #isChanged = true

  constructor({ name }: Pick<WatchedAggregate, 'name'>) {
    this.name = name
  }

  /** True if the sample of this moment has a row for it. */
  get isChanged(): boolean {
    return this.#isChanged
  }

  /**
   * Adds what was counted since the sample before.
   *
   * @param row - The counts; `undefined` if nothing was counted.
   */
  apply(at: number, clock: PointClock, range: PointRange | undefined, row: AggregateCounts | undefined): void {
    const counts = (this.#counts = row?.counts ?? noCounts)
    this.#outcomes.add(at, row === undefined ? [] : counts.flatMap((count, index) => [index, count]))
    this.#latency.add(at, row?.latency ?? [])
    this.#codes.add(at, row?.codes ?? [])
    this.#statuses.add(at, row?.statuses ?? [])
    const { p95 } = percentilesOf(this.#latency)
    const topCode = this.#codes.top
    const topStatus = this.#statuses.top === null ? null : Number(this.#statuses.top)
    this.#isChanged =
      row !== undefined || p95 !== this.#p95 || topCode !== this.#topCode || topStatus !== this.#topStatus
    this.#p95 = p95
    this.#topCode = topCode
    this.#topStatus = topStatus
    const [complete, partial, failed, cancelled] = this.#outcomeCounts
    const runs = complete + partial + failed + cancelled
    this.#ended.add(at, runs === 0 ? [] : [0, runs])
    this.#points.write(range, clock.last, { runs, partial, failed }, {})
  }

  /**
   * Returns the row of the sample.
   *
   * @param index - The place of the aggregate in `hello`.
   */
  sample(index: number): AggregateSample {
    const [complete, partial, failed, cancelled] = this.#outcomeCounts
    return {
      index,
      complete,
      partial,
      failed,
      cancelled,
      p95: this.#p95,
      topCode: this.#topCode,
      topStatus: this.#topStatus,
    }
  }

  get recent(): RecentRuns {
    const of = (name: CountName) => this.#outcomes.of(aggregateCountNames.indexOf(name))
    return {
      runs: of('complete') + of('partial') + of('failed') + of('cancelled'),
      rate: this.#ended.total / (shortWindow / 1000),
      partial: of('partial'),
      failed: of('failed') - of('refused'),
      topCode: this.#topCode,
      topStatus: this.#topStatus,
    }
  }

  /** Returns the points of one value, the oldest first. */
  points(clock: PointClock, name: (typeof pointNames)[number]): Float32Array {
    return this.#points.until(clock.last, name)
  }

  get #outcomeCounts(): readonly [complete: number, partial: number, failed: number, cancelled: number] {
    const [complete = 0, partial = 0, failed = 0, cancelled = 0] = this.#counts
    return [complete, partial, failed, cancelled]
  }
}
