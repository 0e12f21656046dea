import { deepFreeze } from '../../../core/freeze.ts'
import type { Answer, ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { withResponseHeaders } from '../../transport/body.ts'
import type { Fetched, Freshness, LookupResult } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { bodyText } from './body-entry.ts'
import { pickStorable, storableHeaders, updatedHeaders } from './stored-headers.ts'

/** An answer as it came. */
export interface ReceivedResponse extends Pick<NonNullable<Answer<unknown>['received']>, 'value' | 'head' | 'body'> {
  readonly status: number
}

/** The headers of an answer that are kept in a store of values. */
const kept = ['cache-control', 'expires', 'date', 'age', 'vary', 'etag', 'last-modified'] as const
/** The same with the type, for operations whose body may be empty, and for text, which has a charset. */
const keptWithType = [...kept, 'content-type'] as const

/**
 * Makes an entry of an answer that may be kept. Throws what an answer throws that its operation does not take, where
 * the operation reads a header that may not be stored.
 */
export function entryOf(
  spec: OperationSpec,
  { value, status, head: received, body }: ReceivedResponse,
  fetched: Fetched,
  freshness: Freshness,
  storage: 'values' | 'bodies',
): LookupResult {
  // Few headers are kept where none of the others is read: the rest need no check.
  const isPicked = storage === 'values' && spec.responseHeaders === undefined
  const head = isPicked ? received : storableHeaders(received)
  const stored = head === received ? value : valueWith(spec, status, head, value)
  // What was asked for together is frozen already.
  if (!Object.isFrozen(stored)) deepFreeze(stored)
  if (storage === 'bodies')
    return {
      value: stored,
      entry: { status, bytes: body.length, ...fetched, ...freshness, head, body: bodyText(spec, body) },
    }
  const picked = pickStorable(head, spec.allowEmpty || spec.responseType === 'text' ? keptWithType : kept)
  return {
    value: stored,
    entry: KeptEntry.of(spec, { value: stored, status, head, body }, picked, fetched, freshness),
  }
}

/** An answer that a 304 has confirmed, with the headers and the value that it has since then. */
export interface Confirmed {
  readonly head: ResponseHeaders
  readonly value: unknown
}

/**
 * Updates the headers of a kept answer by those of a 304, and the value that they are part of. Throws what an answer
 * throws that its operation does not take.
 */
export function confirmed(spec: OperationSpec, { entry, value }: LookupResult, head304: ResponseHeaders): Confirmed {
  const head = updatedHeaders(KeptEntry.is(entry) ? entry.allHeaders : entry.head, head304)
  return { head, value: deepFreeze(valueWith(spec, entry.status, head, value)) }
}

/** Makes the entry of an answer that a 304 has confirmed. */
export function renewed(
  spec: OperationSpec,
  { entry }: LookupResult,
  answer: Confirmed,
  fetched: Fetched,
  freshness: Freshness,
): LookupResult {
  const { head, value } = answer
  return {
    value,
    entry: KeptEntry.is(entry)
      ? entry.renewed(spec, answer, pickStorable(head, keptWithType), fetched, freshness)
      : { ...entry, ...fetched, ...freshness, head },
  }
}

/** Returns the value of an answer with these headers, where its operation reads headers. */
function valueWith(spec: OperationSpec, status: number, head: ResponseHeaders, value: unknown): unknown {
  // `null` stands for a status of `nullOn`, whose headers are not read.
  if (spec.responseHeaders === undefined || value === null) return value
  return withResponseHeaders(spec, status, head, (value as { readonly body: unknown }).body)
}
