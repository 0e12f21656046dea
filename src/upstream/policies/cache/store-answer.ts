import { randomUUID } from 'node:crypto'
import type { LiveCall } from '../../call/live-call.ts'
import type { Answer, ResponseHeaders } from '../../spec/answer.ts'
import type { CachePolicy } from '../../spec/cache-policy.ts'
import { isCloseDelimited } from '../../transport/response-headers.ts'
import type { CacheAdapter } from './cache-adapter.ts'
import type { Clock, Fetched, FoundGeneration, LookupResult } from './entry.ts'
import { isConfirmable } from './condition.ts'
import { entryOf, renewed, type Confirmed } from './entry-of.ts'
import { freshnessOf } from './freshness.ts'
import { forbidsStoring, isAuthorized, variesBelow } from './sent-request.ts'

type Received = NonNullable<Answer<unknown>['received']>

/** A call that a cache has sent, with the place of its answer and the state at the time of sending. */
export interface SentCall {
  readonly key: string
  readonly uri: string
  readonly call: LiveCall<unknown>
  readonly requestedAt: number
  /** The generation of the URI when the call was sent. */
  readonly generation: FoundGeneration
}

/** An answer that is being stored. */
export interface Storing {
  /** The promise of the store, which may reject; `undefined` if the store has returned none. */
  readonly done: Promise<unknown> | undefined
  /** True if other calls can use the answer without the upstream. */
  readonly isFresh: boolean
}

/** Stores the answers of a cache's calls. */
export interface AnswerStore {
  /**
   * Stores an answer that may be stored. Otherwise removes the entry of its key. If the generation of the URI is
   * unknown, an answer that may be stored is not stored. The entry of its key then stays, because it may be valid.
   *
   * @returns The answer that is being stored; `undefined` if nothing is being written.
   */
  storeAnswer(sent: SentCall, status: number, received: Received): Storing | undefined
  /**
   * Stores an entry again after the upstream has confirmed it with a 304 (RFC 9111, section 4.3.4).
   *
   * @returns The answer that is being stored; `undefined` if nothing is being written.
   */
  storeRenewed(sent: SentCall, found: LookupResult, answer: Confirmed, received: Received): Storing | undefined
}

export function createAnswerStore(adapter: CacheAdapter, clock: Clock): AnswerStore {
  function fetched({ requestedAt, generation }: SentCall): Fetched {
    return { requestedAt, receivedAt: clock.steady(), generation: generation ?? randomUUID() }
  }

  function freshnessFor(
    { call }: SentCall,
    status: number,
    head: ResponseHeaders,
    { request }: Received,
    { requestedAt, receivedAt }: Fetched,
  ) {
    if (forbidsStoring(request) || variesBelow(head, request, call.headers)) return undefined
    return freshnessOf(head, {
      status,
      policy: call.spec.cache as CachePolicy,
      isAuthorized: isAuthorized(request),
      isConfirmable: isConfirmable(call.spec),
      delay: receivedAt - requestedAt,
      receivedAt: clock.wall(),
    })
  }

  function write({ key, uri, generation }: SentCall, found: LookupResult): Storing | undefined {
    if (generation === null) return undefined
    const { initialAge, lifetime } = found.entry
    return { done: adapter.store(key, uri, found), isFresh: initialAge < lifetime }
  }

  return {
    storeAnswer(sent, status, received) {
      const { key, uri, call } = sent
      const times = fetched(sent)
      // Node.js emits the same events for close_notify and for a bare FIN. So a truncated body that ends with its
      // connection looks complete (RFC 9112, section 9.8).
      const mayBeCut = isCloseDelimited(call.spec.method, status, received.head)
      const freshness = mayBeCut ? undefined : freshnessFor(sent, status, received.head, received, times)
      let found: LookupResult | undefined
      try {
        found = freshness && entryOf(call.spec, { ...received, status }, times, freshness, adapter.storage)
      } catch {
        // The operation needs a header that may not be stored.
      }
      if (found !== undefined) return write(sent, found)
      adapter.forget(key, uri)
      return undefined
    },
    storeRenewed(sent, found, answer, received) {
      const { key, uri, call } = sent
      const times = fetched(sent)
      const freshness = freshnessFor(sent, found.entry.status, answer.head, received, times)
      if (freshness !== undefined) return write(sent, renewed(call.spec, found, answer, times, freshness))
      adapter.forget(key, uri)
      return undefined
    },
  }
}
