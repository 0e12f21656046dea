import * as families from './families.ts'
import type { Family } from './family.ts'
import type { Metrics, Reader } from './metrics.ts'
import { OriginReader, type OriginReadings } from './origin-readings.ts'
import type { SeriesTable } from './series-table.ts'

/** The values of an upstream that its layers and its pool hold. */
export interface UpstreamReadings {
  readonly permits: { readonly concurrency: number; readonly active: number; readonly queued: number }
  readonly retryBudgetBalance: number
  readonly connections: { readonly active: number; readonly idle: number; readonly opened: number }
  /** The state of the circuit breaker; `undefined` without one. */
  readonly breaker: string | undefined
  /** The counts of the cache; `undefined` without one. */
  readonly cache: CacheReadings | undefined
  /** The state of the origins; absent for an upstream with one origin. */
  readonly origins?: OriginReadings | undefined
}

export interface CacheReadings {
  readonly hits: number
  readonly stale: number
  readonly misses: number
  readonly revalidated: number
  readonly refreshes: number
  readonly storeFaults: number
  readonly entries?: number
  readonly bytes?: number
}

export const breakerStates = ['closed', 'open', 'half-open'] as const
export const cacheResults = ['hit', 'stale', 'miss'] as const

/** The declaration of a series of an upstream whose value is read. */
interface ReadSeries {
  readonly family: Family
  /** The value of the label after `upstream`, if the family has one. */
  readonly label?: string
  /** Returns the value; `undefined` if the upstream does not have it. */
  readonly of: (readings: UpstreamReadings) => number | undefined
}

const readSeries: readonly ReadSeries[] = [
  { family: families.permitsInUse, of: ({ permits }) => permits.active },
  { family: families.permitsLimit, of: ({ permits }) => permits.concurrency },
  { family: families.queueLength, of: ({ permits }) => permits.queued },
  { family: families.retryBudgetBalance, of: ({ retryBudgetBalance }) => retryBudgetBalance },
  { family: families.openConnections, label: 'active', of: ({ connections }) => connections.active },
  { family: families.openConnections, label: 'idle', of: ({ connections }) => connections.idle },
  { family: families.connectionsOpened, of: ({ connections }) => connections.opened },
  ...breakerStates.map((state): ReadSeries => ({
    family: families.breakerState,
    label: state,
    of: ({ breaker }) => (breaker === undefined ? undefined : Number(breaker === state)),
  })),
  { family: families.cacheRequests, label: 'hit', of: ({ cache }) => cache?.hits },
  { family: families.cacheRequests, label: 'stale', of: ({ cache }) => cache?.stale },
  { family: families.cacheRequests, label: 'miss', of: ({ cache }) => cache?.misses },
  { family: families.cacheRevalidations, of: ({ cache }) => cache?.revalidated },
  { family: families.cacheRefreshes, of: ({ cache }) => cache?.refreshes },
  { family: families.cacheStoreFaults, of: ({ cache }) => cache?.storeFaults },
  { family: families.cacheEntries, of: ({ cache }) => cache?.entries },
  { family: families.cacheSize, of: ({ cache }) => cache?.bytes },
]

/** Reads the state of an upstream. */
export class UpstreamReader implements Reader {
  readonly #readingsOf: () => UpstreamReadings
  readonly #series: readonly OneReading[]
  readonly #origins: OriginReader

  constructor(metrics: Metrics, upstream: string, readingsOf: () => UpstreamReadings) {
    this.#readingsOf = readingsOf
    this.#origins = new OriginReader(metrics, upstream)
    this.#series = readSeries.map(declared => new OneReading(metrics.table(declared.family), upstream, declared))
  }

  read(): void {
    const readings = this.#readingsOf()
    for (const series of this.#series) series.read(readings)
    if (readings.origins !== undefined) this.#origins.read(readings.origins)
  }

  add(): void {
    for (const series of this.#series) series.add()
    this.#origins.add()
  }

  /** Reads the counters for the last time and keeps their values, because the upstream has closed. */
  retire(): void {
    this.read()
    for (const series of this.#series) series.retire()
    this.#origins.retire()
  }
}

/** One series of an upstream, with the value that was read last. Its slot is added with its first value. */
class OneReading {
  readonly #table: SeriesTable
  readonly #upstream: string
  readonly #declared: ReadSeries
  #slot = -1
  #value = 0

  constructor(table: SeriesTable, upstream: string, declared: ReadSeries) {
    this.#table = table
    this.#upstream = upstream
    this.#declared = declared
  }

  read(readings: UpstreamReadings): void {
    const value = this.#declared.of(readings)
    this.#value = value ?? 0
    if (this.#slot !== -1 || value === undefined) return
    const { label } = this.#declared
    this.#slot = label === undefined ? this.#table.slot(this.#upstream) : this.#table.slot(this.#upstream, label)
    this.#table.show(this.#slot)
    // Another rendering may start before this collection ends. It must not have a gauge without its value.
    this.add()
  }

  add(): void {
    if (this.#slot !== -1) this.#table.addRead(this.#slot, this.#value)
  }

  retire(): void {
    if (this.#slot !== -1 && this.#table.family.type === 'counter') this.#table.retire(this.#slot, this.#value)
  }
}
