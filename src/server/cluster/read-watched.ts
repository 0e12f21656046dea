import type { Watched } from '../../overview/overview.ts'
import { isList, isObject, isText, parsed } from './message-values.ts'

/** Reads the answer of a worker to the question `names`. Returns undefined for another text. */
export function readWatched(text: string): Watched | undefined {
  const value = parsed(text)
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
