import { deepFreeze } from '../../../core/freeze.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry, LookupResult, Freshness } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { bodyText } from './body-entry.ts'

/** An answer as it came. */
export interface ReceivedResponse {
  readonly value: unknown
  readonly status: number
  readonly head: ResponseHeaders
  /** Decoded. */
  readonly body: Buffer
}

type Times = Pick<Entry, 'requestedAt' | 'receivedAt'>

/** The headers of an answer that are kept in a store of values. */
const kept = ['cache-control', 'expires', 'date', 'age', 'vary', 'etag', 'last-modified'] as const
/** The same with the type, for operations whose body may be empty, and for text, which has a charset. */
const keptWithType = [...kept, 'content-type'] as const

/** Makes an entry of an answer that may be kept. */
export function entryOf(
  spec: OperationSpec,
  came: ReceivedResponse,
  times: Times,
  freshness: Freshness,
  keeps: 'values' | 'bodies',
): LookupResult {
  const { value, status, head, body } = came
  // What was asked for together is frozen already.
  if (!Object.isFrozen(value)) deepFreeze(value)
  return {
    value,
    entry:
      keeps === 'values'
        ? KeptEntry.of(
            spec,
            came,
            pick(head, spec.allowEmpty || spec.responseType === 'text' ? keptWithType : kept),
            times,
            freshness,
          )
        : { status, bytes: body.length, ...times, ...freshness, head, body: bodyText(spec, body) },
  }
}

/** The same answer, as it may be used now that the upstream has said that it has not changed. */
export function renewed(
  { entry, value }: LookupResult,
  head: ResponseHeaders,
  times: Times,
  freshness: Freshness,
): LookupResult {
  return {
    value,
    entry: KeptEntry.is(entry)
      ? entry.renewed(pick(head, keptWithType), times, freshness)
      : { ...entry, ...times, ...freshness, head },
  }
}

function pick(head: ResponseHeaders, names: readonly string[]): ResponseHeaders {
  return Object.fromEntries(names.filter(name => head[name] !== undefined).map(name => [name, head[name]]))
}
