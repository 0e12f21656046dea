import type { Watched } from '../../overview/overview.ts'
import { isList, isObject, isText } from './message-values.ts'

/** Returns what a worker has sent as its upstreams and aggregates. Returns undefined for another value. */
export function readWatched(value: unknown): Watched | undefined {
  if (!isObject(value)) return undefined
  const { upstreams, aggregates } = value
  return isList(upstreams, isUpstream) && isList(aggregates, isAggregate) ? { upstreams, aggregates } : undefined
}

function isUpstream(value: unknown): value is Watched['upstreams'][number] {
  if (!isObject(value)) return false
  const { name, origin, operations, isOff } = value
  return isText(name) && isText(origin) && isList(operations, isText) && typeof isOff === 'boolean'
}

function isAggregate(value: unknown): value is Watched['aggregates'][number] {
  if (!isObject(value)) return false
  const { name, method, url, isBulk } = value
  return isText(name) && isText(method) && isText(url) && typeof isBulk === 'boolean'
}
