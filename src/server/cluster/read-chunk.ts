import type { SentExemplar, SeriesChunk } from '../../metrics/chunks.ts'
import type { Family } from '../../metrics/family.ts'
import { isList, isNumber, isNumberOrNull, isObject, isText, isTime, isWhole } from './message-values.ts'

/** Returns the series that a worker has sent, or `undefined` for another value. */
export function readChunk(value: unknown): SeriesChunk | undefined {
  if (!isObject(value)) return undefined
  const { from, labels, values, exemplars } = value
  const family = readFamily(value['family'])
  if (family === undefined || !isWhole(from) || !isList(labels, isText) || !isList(values, isNumberOrNull))
    return undefined
  return isList(exemplars, isExemplar) ? { family, from, labels, values, exemplars } : undefined
}

function readFamily(value: unknown): Family | undefined {
  if (!isObject(value)) return undefined
  const { name, help, type, labels, buckets, merge = 'sum' } = value
  if (!isText(name) || !isText(help) || !isList(labels, isText) || (merge !== 'sum' && merge !== 'max'))
    return undefined
  if (type === 'histogram') return isList(buckets, isNumber) ? { name, help, type, labels, buckets, merge } : undefined
  return type === 'counter' || type === 'gauge' ? { name, help, type, labels, merge } : undefined
}

function isExemplar(value: unknown): value is SentExemplar {
  return (
    isObject(value) &&
    isWhole(value['at']) &&
    isText(value['traceId']) &&
    isNumber(value['value']) &&
    isTime(value['time'])
  )
}
