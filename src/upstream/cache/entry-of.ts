import { deepFreeze } from '../freeze.ts'
import type { Head } from '../head.ts'
import type { OperationSpec } from '../spec.ts'
import type { Entry, Freshness } from './entry.ts'
import { bodyText } from './value-of.ts'

/** An answer as it came. */
export interface Came {
  readonly value: unknown
  readonly status: number
  readonly head: Head
  /** Decoded. */
  readonly body: Buffer
}

type Times = Pick<Entry, 'requestedAt' | 'receivedAt'>

/** What of an answer's headers is kept where its value is. */
const kept = ['cache-control', 'expires', 'date', 'age', 'vary', 'etag', 'last-modified'] as const

/** Makes an entry of an answer that may be kept. */
export function entryOf (spec: OperationSpec, { value, status, head, body }: Came, times: Times, freshness: Freshness, keeps: 'values' | 'bodies'): Entry {
  return {
    status, bytes: body.length, ...times, ...freshness,
    // A piece of a larger chunk would keep the whole of it.
    value: deepFreeze(value === body ? Buffer.from(new Uint8Array(body).buffer) : value),
    ...keeps === 'bodies' ? { head, body: bodyText(spec, body) } : { head: pick(head) },
  }
}

/** The same answer, as it may be used now that the upstream has said that it has not changed. */
export function renewed (entry: Entry, head: Head, times: Times, freshness: Freshness): Entry {
  return { ...entry, ...times, ...freshness, head: entry.body === undefined ? pick(head) : head }
}

function pick (head: Head): Head {
  return Object.fromEntries(kept.filter(name => head[name] !== undefined).map(name => [name, head[name]]))
}
