import { latencyBuckets } from '../../metrics/latency-counts.ts'
import {
  aggregateCountNames,
  upstreamCountNames,
  upstreamGaugeNames,
  type AggregateCounts,
  type IndexedCounts,
  type NamedCounts,
  type ProcessSample,
  type UpstreamCounts,
} from '../../overview/process-sample.ts'
import { isList, isObject, isQuantity, isText } from './message-values.ts'

/** Returns the sample that a worker has sent, or `undefined` for another value. */
export function readProcessSample(value: unknown): ProcessSample | undefined {
  if (!isObject(value)) return undefined
  const { upstreams, aggregates } = value
  return isList(upstreams, isUpstreamCounts) && isList(aggregates, isAggregateCounts)
    ? { upstreams, aggregates }
    : undefined
}

function isUpstreamCounts(value: unknown): value is UpstreamCounts {
  if (!isObject(value)) return false
  const { name, counts, gauges, latency, failures } = value
  return (
    isText(name) &&
    isNumbers(counts, upstreamCountNames.length) &&
    isNumbers(gauges, upstreamGaugeNames.length) &&
    isIndexedCounts(latency) &&
    isNamedCounts(failures)
  )
}

function isAggregateCounts(value: unknown): value is AggregateCounts {
  if (!isObject(value)) return false
  const { name, counts, latency, codes, statuses } = value
  return (
    isText(name) &&
    isNumbers(counts, aggregateCountNames.length) &&
    isIndexedCounts(latency) &&
    isNamedCounts(codes) &&
    isNamedCounts(statuses)
  )
}

function isNumbers(value: unknown, length: number): boolean {
  return isList(value, isQuantity) && value.length === length
}

function isIndexedCounts(value: unknown): value is IndexedCounts {
  return (
    isList(value, isQuantity) &&
    value.length % 2 === 0 &&
    value.every((each, at) => Number.isInteger(each) && (at % 2 === 1 || each < latencyBuckets))
  )
}

function isNamedCounts(value: unknown): value is NamedCounts {
  return isList(value, isNamedCount)
}

function isNamedCount(value: unknown): value is NamedCounts[number] {
  return Array.isArray(value) && value.length === 2 && isText(value[0]) && isQuantity(value[1])
}
