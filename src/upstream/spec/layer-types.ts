import type { Answer } from './answer.ts'

export declare const value: unique symbol

type Headers = Readonly<Record<string, string>>

/**
 * A call in flight, as a custom layer receives it and passes it to `next`. `C` is the type of its context, which
 * `withContext` checks.
 */
export interface LayerCall<out T, out C = unknown> {
  /** The type of the answer's value. The property does not exist at run time. */
  readonly [value]: T
  /** The operation's name, for example `catfact-ninja.fact`. */
  readonly operation: string
  /** The method, in upper case. */
  readonly method: string
  /** The path and the query, encoded, without the prefix of the upstream. */
  readonly path: string
  /** The body as it is sent: a text, or the bytes of a body of the type `bytes` or `multipart`. */
  readonly body: string | Uint8Array | undefined
  /** The `idempotency-key` of the call, if its operation has one. */
  readonly idempotencyKey: string | undefined
  /** The headers in the input of the call, and those that layers have added so far. Names are listed in lower case and found in any case. */
  readonly headers: Headers
  /**
   * The headers of the inbound request. Names are listed in lower case and found in any case.
   *
   * At `'attempt'`, a layer sees only the headers in the upstream's `forwardHeaders`, because callers with different
   * other headers may share the attempt.
   *
   * At `'call'`, the reply's `vary` contains each header that a layer reads here. A layer that lists all names
   * (`Object.keys`, a spread, `JSON.stringify`) makes the reply `no-store`.
   */
  readonly inbound: Readonly<Record<string, string | undefined>>
  /**
   * The result of the aggregate's `context`, if it has one. At `'attempt'` it throws a `TypeError`, because callers
   * with different contexts may share an attempt. In a layer of `withContext` it also throws if its schema refuses the
   * context.
   */
  readonly context: C
  /**
   * The scheme, host and port of the origin of this attempt, at `'attempt'` of an upstream with several origins.
   * `undefined` at `'call'`, and with one origin: see `origin` of the upstream.
   */
  readonly origin: string | undefined
  /** The number of times that the call was sent, including this attempt; 0 at `'call'` before the first attempt. */
  readonly attempt: number
  /** The time until the deadline of the run, in ms. */
  readonly remaining: number
  /** Aborted when the call is cancelled. */
  readonly signal: AbortSignal
  /**
   * Returns the same call with more headers.
   *
   * @param changes The headers. Each replaces all other headers with the same name.
   * @returns The call to pass to `next`.
   * @throws `TypeError` for a header that a layer may not set, and for a name or a value that cannot be sent.
   */
  with(changes: { readonly headers: Headers }): LayerCall<T, C>
}

/** The upstream of a custom layer. */
export interface LayerUpstream {
  /** Its name, as declared. */
  readonly name: string
  /**
   * The scheme, host and port of its origin: the declared one, or the one of its override. With several origins it is
   * `SCHEME://NAME.invalid`, or `SCHEME://NAME.HASH.invalid` with those of an override. `origin` of the call is then
   * that of the attempt.
   */
  readonly origin: string
  /** The base path of its origin, for example `/v1`, which precedes the path of every call. Empty without one. */
  readonly prefix: string
}

/** The next layer. Its promise rejects with an `UpstreamError`, or with the abort reason of the call. */
export type LayerNext = <T>(call: LayerCall<T>) => Promise<Answer<T>>

/**
 * A layer that you write. It is called once for each upstream that is opened. The function that it returns is called
 * once per call (`layers.call`) or once per attempt (`layers.attempt`). A layer that returns the promise of `next` adds
 * no promise. `C` is the type of `call.context`. A layer that needs another type than `unknown` is passed to
 * `withContext`, which checks the context.
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
export type CustomLayer<C = unknown> = (
  next: LayerNext,
  upstream: LayerUpstream,
) => <T>(call: LayerCall<T, C>) => Answer<T> | Promise<Answer<T>>
