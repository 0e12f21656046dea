import type { RunRow } from '../waterfall/kept-run.ts'

/**
 * The events of `GET /dashboard/events` (SSE). The name of an event is its `type`. The page and the service have the
 * same version, so the protocol is not public. All moments are ms since 1970 by the clock of the service.
 */
export type DashboardEvent = Hello | Sample | Runs | BulkRuns | BreakerChange | Bye

/** The first event, and the first after a reload of the definitions or after the reader was behind. */
export interface Hello {
  readonly type: 'hello'
  /** Identifies the start of the service. */
  readonly boot: string
  readonly version: string
  readonly at: number
  /** The time between two samples, in ms. */
  readonly every: number
  readonly upstreams: readonly UpstreamInfo[]
  readonly aggregates: readonly AggregateInfo[]
  /** `false` if `KEPT_RUNS` is 0. */
  readonly keptRuns: boolean
  readonly history: History
  /** The last changes of the circuit breakers, oldest first, at most 50. */
  readonly breakers: readonly BreakerChange[]
  /** The last kept runs, oldest first, at most 100. */
  readonly runs: readonly RunRow[]
  /** The bulk runs; `null` if no aggregate has `bulk: true`. */
  readonly bulk: BulkRuns | null
  /** A sample with a row for each upstream and each aggregate. */
  readonly now: Sample
}

export interface UpstreamInfo {
  readonly name: string
  /** The origin, or several with commas, without user and password. */
  readonly origin: string
  readonly operations: readonly string[]
  /** The names of the aggregates that have used the upstream, as far as the service has seen it. */
  readonly usedBy: readonly string[]
}

export interface AggregateInfo {
  readonly name: string
  readonly method: string
  readonly url: string
}

/** The points of the last two minutes, oldest first. `NaN` is `null` in JSON. */
export interface History {
  /** The moment of the first point. */
  readonly from: number
  /** The time between two points, in ms. */
  readonly every: number
  /** One entry per upstream, in the order of `upstreams`. Counts are those of one point. */
  readonly upstreams: readonly {
    readonly attempts: readonly number[]
    readonly failed: readonly number[]
    readonly p95: readonly (number | null)[]
  }[]
  /** One entry per aggregate, in the order of `aggregates`. Counts are those of one point. */
  readonly aggregates: readonly {
    readonly runs: readonly number[]
    readonly partial: readonly number[]
    readonly failed: readonly number[]
  }[]
}

/** The reply of `GET /dashboard/upstreams/{name}`: all series of one upstream, oldest point first. */
export interface UpstreamHistory {
  readonly from: number
  readonly every: number
  readonly attempts: readonly number[]
  readonly failed: readonly number[]
  readonly p50: readonly (number | null)[]
  readonly p95: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
  readonly permits: readonly number[]
  readonly permitLimit: readonly (number | null)[]
  readonly queued: readonly number[]
  readonly breaker: readonly BreakerState[]
  readonly hedges: readonly number[]
  readonly hedgesWon: readonly number[]
  readonly retries: readonly number[]
  readonly refusedResends: readonly number[]
  readonly cacheHits: readonly number[]
  readonly cacheAsked: readonly number[]
}

/** The health of an upstream, from its attempts, its breaker and its permits. */
export type Health = 'healthy' | 'strained' | 'failing' | 'idle' | 'off'

export type BreakerState = 'closed' | 'open' | 'half-open' | 'none'

/**
 * The counts since the last sample, and the present values. A name without a row had no traffic, and its present values
 * have not changed.
 */
export interface Sample {
  readonly type: 'sample'
  readonly at: number
  readonly verdict: Verdict
  readonly upstreams: readonly UpstreamSample[]
  readonly aggregates: readonly AggregateSample[]
  /** The worker processes; empty for a service of one process. */
  readonly workers: readonly WorkerSample[]
  /** The last reload of the definitions, if it was refused. */
  readonly refused?: RefusedReload
}

/** A reload of the definitions that was refused: the definitions before it are still served. */
export interface RefusedReload {
  readonly at: number
  /** The number of faults, which the log has. */
  readonly faults: number
}

export interface UpstreamSample {
  /** The index of the upstream in `hello`. */
  readonly index: number
  readonly health: Health
  /** The start of the present health. */
  readonly since: number
  /** The reason of the present health, in words; empty if the upstream is healthy. */
  readonly reason: string
  readonly attempts: number
  readonly failedAttempts: number
  readonly calls: number
  readonly lostCalls: number
  /** Percentiles of the attempts of the last 10 s, in ms; `null` below 5 attempts. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly permits: number
  /** The limit of the permits; `null` without a limit. */
  readonly permitLimit: number | null
  readonly queued: number
  readonly breaker: BreakerState
  readonly hedges: number
  readonly hedgesWon: number
  readonly retries: number
  /** Retries and hedges that were not sent. */
  readonly refusedResends: number
  readonly cacheHits: number
  readonly cacheAsked: number
  /** The number of origins, and of those that are ejected or unhealthy; absent if the upstream has one origin. */
  readonly origins?: OriginCounts
  /** `usedBy` of `hello`, present if it has changed since the sample before. */
  readonly usedBy?: readonly string[]
}

export interface OriginCounts {
  readonly all: number
  readonly out: number
}

export interface AggregateSample {
  /** The index of the aggregate in `hello`. */
  readonly index: number
  readonly complete: number
  readonly partial: number
  readonly failed: number
  readonly cancelled: number
  /** The 95th percentile of the durations of the last 10 s, in ms; `null` below 5 runs. */
  readonly p95: number | null
  /** The most frequent code of the failed and partial runs of the last 10 s; `null` without one. */
  readonly topCode: string | null
  /** The most frequent status of the failed runs of the last 10 s; `null` without one. */
  readonly topStatus: number | null
}

export interface WorkerSample {
  readonly worker: number
  readonly state: 'starting' | 'running' | 'hung' | 'stopping'
}

/** The state of the whole service in one or two sentences. */
export interface Verdict {
  /** The worst health of an upstream that has traffic; `idle` without traffic. */
  readonly health: Health
  readonly sentences: readonly (readonly VerdictPart[])[]
}

/** A part of a sentence; a part with a name is shown as a link. */
export interface VerdictPart {
  readonly text: string
  /** The moment that the text is; the page shows it in the time zone of the browser. */
  readonly at?: number
  readonly upstream?: string
  readonly aggregate?: string
}

/** The kept runs since the last event; at most 20, failed and partial runs first. */
export interface Runs {
  readonly type: 'runs'
  readonly rows: readonly RunRow[]
  /** The number of runs that were left out, by state. */
  readonly more: Readonly<Record<RunRow['state'], number>>
}

/** The bulk runs of all callers, at most 100. It is sent when it differs from the event before. */
export interface BulkRuns {
  readonly type: 'bulk'
  readonly at: number
  /** `unread` until the first look; `unreadable` while the store fails, with the rows of the look before. */
  readonly status: 'unread' | 'read' | 'unreadable'
  /** The runs that have not ended, the newest first, and then the ended ones, the newest first. */
  readonly rows: readonly BulkRow[]
  /** The number of all runs, also of those without a row. */
  readonly all: number
}

/** The state of a bulk run. It is `waiting` if the service does not offer its aggregate for bulk runs. */
export type BulkState = 'running' | 'waiting' | 'paused' | 'completed' | 'cancelled'

/** A bulk run. It has neither its owner nor an input or a result. */
export interface BulkRow {
  readonly id: string
  readonly aggregate: string
  readonly state: BulkState
  readonly items: number
  /** The number of items with a result. */
  readonly done: number
  /** The results by kind; `null` while the service counts them. */
  readonly counts: { readonly succeeded: number; readonly partial: number; readonly failed: number } | null
  readonly createdAt: number
  /** `null` for a run that has not ended. */
  readonly endedAt: number | null
  /** The time at which the run and its results are removed; `null` for a run that has not ended. */
  readonly expiresAt: number | null
}

export interface BreakerChange {
  readonly type: 'breaker'
  readonly at: number
  readonly upstream: string
  readonly from: BreakerState
  readonly to: BreakerState
}

/** The last event of a connection. */
export interface Bye {
  readonly type: 'bye'
  readonly reason: 'draining' | 'full'
}
