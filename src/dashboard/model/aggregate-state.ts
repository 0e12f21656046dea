import type { AggregateInfo, AggregateSample, History } from '../protocol.ts'
import { createSeries, fillCounts, push, sumOfLast, type Series } from './series.ts'

/** The series of one aggregate. A count is that of one point. */
export interface AggregateSeries {
  readonly complete: Series
  readonly partial: Series
  readonly failed: Series
  readonly cancelled: Series
}

/** An aggregate as the page shows it. Its fields change in place with each sample. */
export class AggregateState {
  readonly index: number
  readonly info: AggregateInfo
  readonly name: string
  p95 = NaN
  topCode: string | null = null
  topStatus: number | null = null
  /** Runs per second, over the last 10 s. */
  rate = 0
  /** The number of runs of the last 10 s by state. */
  complete = 0
  partial = 0
  failed = 0
  cancelled = 0
  readonly series: AggregateSeries = {
    complete: createSeries(0),
    partial: createSeries(0),
    failed: createSeries(0),
    cancelled: createSeries(0),
  }

  constructor(index: number, info: AggregateInfo) {
    this.index = index
    this.info = info
    this.name = info.name
  }

  /** The number of runs of the last 10 s. */
  get runs(): number {
    return this.complete + this.partial + this.failed + this.cancelled
  }

  /** Takes the series that the first event of a connection has. Its runs have no count of the cancelled ones. */
  fillShort(history: History['aggregates'][number], times: Series, grid: History): void {
    const { complete, partial, failed } = this.series
    fillCounts(complete, times, history.runs, grid)
    fillCounts(partial, times, history.partial, grid)
    fillCounts(failed, times, history.failed, grid)
    for (let at = 0; at < complete.length; at++)
      complete[at] = Math.max(0, (complete[at] as number) - (partial[at] as number) - (failed[at] as number))
  }

  /** Takes the present values of a sample, but not its counts. */
  set(row: AggregateSample): void {
    this.p95 = row.p95 ?? NaN
    this.topCode = row.topCode
    this.topStatus = row.topStatus
  }

  /** Adds one point to each series; a sample without a row had no run. */
  push(row: AggregateSample | undefined): void {
    if (row !== undefined) this.set(row)
    const { series } = this
    push(series.complete, row?.complete ?? 0)
    push(series.partial, row?.partial ?? 0)
    push(series.failed, row?.failed ?? 0)
    push(series.cancelled, row?.cancelled ?? 0)
  }

  /** Computes the values over the last 10 s. */
  measure(count: number, seconds: number): void {
    const { series } = this
    this.complete = sumOfLast(series.complete, count)
    this.partial = sumOfLast(series.partial, count)
    this.failed = sumOfLast(series.failed, count)
    this.cancelled = sumOfLast(series.cancelled, count)
    this.rate = this.runs / seconds
  }
}
