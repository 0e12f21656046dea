import { deepFreeze } from '../../../core/freeze.ts'
import type { Answer, ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { withResponseHeaders } from '../../transport/response-value.ts'
import type { Fetched, Freshness, LookupResult } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { bodyText } from './body-entry.ts'
import { pickStorable, storableHeaders, updatedHeaders } from './stored-headers.ts'

/** An answer as it was received. */
export interface ReceivedResponse extends Pick<
  NonNullable<Answer<unknown>['received']>,
  'value' | 'head' | 'body' | 'keyIndex'
> {
  readonly status: number
}

/** The response headers that a store of `values` keeps. */
const kept = ['cache-control', 'expires', 'date', 'age', 'vary', 'etag', 'last-modified'] as const
/**
 * The same headers with `content-type`. Operations that accept an empty body need it, and text, which has a charset.
 */
const keptWithType = [...kept, 'content-type'] as const

/**
 * Creates the entry of an answer that may be stored. Throws if the operation reads a header that may not be stored, and
 * does not accept the answer without it.
 */
export function entryOf(
  spec: OperationSpec,
  { value, status, head: received, body, keyIndex }: ReceivedResponse,
  fetched: Fetched,
  freshness: Freshness,
  storage: 'values' | 'bodies',
): LookupResult {
  // Only headers that may be stored are picked in this case, so the headers need no other check.
  const isPicked = storage === 'values' && spec.responseHeaders === undefined
  const head = isPicked ? received : storableHeaders(received)
  const stored = head === received ? value : valueWith(spec, status, head, value)
  // A coalesced answer is already frozen.
  if (!Object.isFrozen(stored)) deepFreeze(stored)
  if (storage === 'bodies')
    return {
      value: stored,
      entry: {
        status,
        bytes: body.length,
        ...fetched,
        ...freshness,
        head,
        body: bodyText(spec, body),
        ...(keyIndex !== undefined && { keyIndex }),
      },
    }
  const picked = pickStorable(head, spec.allowEmpty || spec.responseType === 'text' ? keptWithType : kept)
  return {
    value: stored,
    entry: KeptEntry.of(spec, { value: stored, status, head, body, keyIndex }, picked, fetched, freshness),
  }
}

/** An answer that a 304 has confirmed, with its updated headers and value. */
export interface Confirmed {
  readonly head: ResponseHeaders
  readonly value: unknown
}

/**
 * Updates the headers of a stored answer with the headers of a 304, and the value that contains them. Throws if the
 * operation does not accept the result.
 */
export function confirmed(spec: OperationSpec, { entry, value }: LookupResult, head304: ResponseHeaders): Confirmed {
  const head = updatedHeaders(KeptEntry.is(entry) ? entry.allHeaders : entry.head, head304)
  return { head, value: deepFreeze(valueWith(spec, entry.status, head, value)) }
}

/** Creates the entry of an answer that a 304 has confirmed. */
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

/** Returns the value of an answer with these headers, if its operation reads headers. */
function valueWith(spec: OperationSpec, status: number, head: ResponseHeaders, value: unknown): unknown {
  // `null` is the value for a status of `nullOn`, whose headers are not read.
  if (spec.responseHeaders === undefined || value === null) return value
  return withResponseHeaders(spec, status, head, (value as { readonly body: unknown }).body)
}
