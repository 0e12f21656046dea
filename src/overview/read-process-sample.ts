import { latencyBuckets } from '../metrics/latency-counts.ts'
import {
  aggregateCountNames,
  upstreamCountNames,
  upstreamGaugeNames,
  type AggregateCounts,
  type IndexedCounts,
  type NamedCounts,
  type ProcessSample,
  type UpstreamCounts,
} from './process-sample.ts'

type Fields = Readonly<Record<string, unknown>>

/** Returns a value as a sample of a process, or `undefined` if it is none. Another process has sent it. */
export function readProcessSample(value: unknown): ProcessSample | undefined {
  if (!isFields(value)) return undefined
  const { upstreams, aggregates } = value
  return isListOf(upstreams, isUpstreamCounts) && isListOf(aggregates, isAggregateCounts)
    ? { upstreams, aggregates }
    : undefined
}

function isUpstreamCounts(value: unknown): value is UpstreamCounts {
  if (!isFields(value)) return false
  const { name, counts, gauges, latency, failures } = value
  return (
    typeof name === 'string' &&
    isNumbers(counts, upstreamCountNames.length) &&
    isNumbers(gauges, upstreamGaugeNames.length) &&
    isIndexedCounts(latency) &&
    isNamedCounts(failures)
  )
}

function isAggregateCounts(value: unknown): value is AggregateCounts {
  if (!isFields(value)) return false
  const { name, counts, latency, codes, statuses } = value
  return (
    typeof name === 'string' &&
    isNumbers(counts, aggregateCountNames.length) &&
    isIndexedCounts(latency) &&
    isNamedCounts(codes) &&
    isNamedCounts(statuses)
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function isListOf<T>(value: unknown, isOne: (each: unknown) => each is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isNumbers(value: unknown, length: number): boolean {
  return isListOf(value, isCount) && value.length === length
}

function isIndexedCounts(value: unknown): value is IndexedCounts {
  return (
    isListOf(value, isCount) &&
    value.length % 2 === 0 &&
    value.every((each, at) => Number.isInteger(each) && (at % 2 === 1 || each < latencyBuckets))
  )
}

function isNamedCounts(value: unknown): value is NamedCounts {
  return isListOf(value, isNamedCount)
}

function isNamedCount(value: unknown): value is NamedCounts[number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isCount(value[1])
}
