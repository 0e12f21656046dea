import type { Answer } from './answer.ts'

export declare const value: unique symbol

type Headers = Readonly<Record<string, string>>

/** A call under way, as a custom layer sees it and passes it to `next`. */
export interface LayerCall<out T> {
  /** The type of the answer's value; no such property exists at run time. */
  readonly [value]: T
  /** The operation's name, for example `catfact-ninja.fact`. */
  readonly operation: string
  /** The method, in upper case. */
  readonly method: string
  /** Path and query, encoded; below the upstream's prefix. */
  readonly path: string
  /** The body as it is sent. */
  readonly body: string | undefined
  /** The key that the call is sent with, if its operation makes one. */
  readonly idempotencyKey: string | undefined
  /** Headers that layers have added so far, listed in lower case; a name is found in any case. */
  readonly headers: Headers
  /**
   * Headers of the inbound request, listed in lower case; a name is found in any case. A layer at `'attempt'` sees only
   * those that the upstream's `forwardHeaders` names, because callers who differ in the other headers may share the
   * attempt. At `'call'`, the reply's `vary` names each header that a layer reads here, and a layer that lists the
   * names (`Object.keys`, a spread, `JSON.stringify`) makes the reply `no-store`.
   */
  readonly inbound: Readonly<Record<string, string | undefined>>
  /**
   * The result of the aggregate's `context`, if it has one. Only at `'call'`: callers with different contexts may share
   * an attempt.
   */
  readonly context: unknown
  /** The number of times the call was sent, this attempt included; 0 at `'call'`. */
  readonly attempt: number
  /** The time until the deadline of the run, in ms. */
  readonly remaining: number
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal
  /**
   * Returns the same call with more headers.
   *
   * @param changes The headers. Each replaces all other headers of the same name.
   * @returns The call to pass to `next`.
   * @throws `TypeError` for a header that a layer may not set, and for a name or a value that cannot be sent.
   */
  with(changes: { readonly headers: Headers }): LayerCall<T>
}

/** The upstream that a custom layer is opened for. */
export interface LayerUpstream {
  /** Its name, as declared. */
  readonly name: string
  /** Its origin: the declared one, or the one of its override. */
  readonly origin: string
  /** The prefix of every path there; empty for most upstreams. */
  readonly prefix: string
}

/** The service below a custom layer. Rejects with an `UpstreamError`, or with the reason the call was cancelled for. */
export type LayerNext = <T>(call: LayerCall<T>) => Promise<Answer<T>>

/**
 * A layer of an author. It is called once for each upstream that is opened; the function it returns is called once per
 * call, or once per attempt. A layer that returns the promise of `next` adds no promise.
 *
 * @example
 * ```ts
 * import type { CustomLayer } from 'headwaters'
 *
 * const timed: CustomLayer = (next, upstream) => async call => {
 *   const start = performance.now()
 *   try {
 *     return await next(call.with({ headers: { 'x-caller': 'catalogue' } }))
 *   } finally {
 *     console.log(upstream.name, call.operation, performance.now() - start)
 *   }
 * }
 * ```
 */
export type CustomLayer = (
  next: LayerNext,
  upstream: LayerUpstream,
) => <T>(call: LayerCall<T>) => Answer<T> | Promise<Answer<T>>
