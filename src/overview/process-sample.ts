/**
 * The counts of an upstream in a sample, in their order. `attempts` are those that ended, `lostCalls` are calls that
 * failed and were not cancelled, and `refusedResends` are retries and hedges that were not sent.
 */
export const upstreamCountNames = [
  'attempts',
  'failedAttempts',
  'calls',
  'lostCalls',
  'hedges',
  'hedgesWon',
  'retries',
  'refusedResends',
  'cacheHits',
  'cacheAsked',
] as const

/**
 * The present values of an upstream in a sample, in their order. `origins` are all origins of an upstream with several,
 * and `originsOut` are those that are ejected or unhealthy.
 */
export const upstreamGaugeNames = ['permits', 'permitLimit', 'queued', 'breaker', 'origins', 'originsOut'] as const

/**
 * The counts of an aggregate in a sample, in their order: its ended runs by outcome. `refused` are those of `failed`
 * that are the caller's fault.
 */
export const aggregateCountNames = ['complete', 'partial', 'failed', 'cancelled', 'refused'] as const

/** Numbers by a small index: `[index, number, index, number, …]`. */
export type IndexedCounts = readonly number[]

/** Numbers by a text, such as a code. */
export type NamedCounts = readonly (readonly [name: string, count: number])[]

/** One upstream in a sample of a process. */
export interface UpstreamCounts {
  readonly name: string
  /** The counts since the sample before, in the order of `upstreamCountNames`. */
  readonly counts: readonly number[]
  /** The present values, in the order of `upstreamGaugeNames`. The breaker is an index of `breakerStates`. */
  readonly gauges: readonly number[]
  /** The durations of the attempts since the sample before, by the buckets of `LatencyCounts`. */
  readonly latency: IndexedCounts
  /** The failed attempts since the sample before, by the status or the code. */
  readonly failures: NamedCounts
}

/** One aggregate in a sample of a process. */
export interface AggregateCounts {
  readonly name: string
  /** The counts since the sample before, in the order of `aggregateCountNames`. */
  readonly counts: readonly number[]
  /** The durations of the runs since the sample before, by the buckets of `LatencyCounts`. */
  readonly latency: IndexedCounts
  /** The failed and lost runs and steps since the sample before, by the code. */
  readonly codes: NamedCounts
  /** The replies with a status from 500 on since the sample before, by the status. */
  readonly statuses: NamedCounts
}

/**
 * The counts of a process since its sample before. It is JSON, so that a worker can send it. A name without counts
 * and with unchanged present values is left out.
 */
export interface ProcessSample {
  readonly upstreams: readonly UpstreamCounts[]
  readonly aggregates: readonly AggregateCounts[]
}

/** The states of a circuit breaker, from the one without an effect to the worst. Workers join to the worst. */
export const breakerStates = ['none', 'closed', 'half-open', 'open'] as const
