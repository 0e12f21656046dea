import type { AccessOptions } from './access-options.ts'
import type { Layers } from './layers.ts'
import type { BalanceOptions, OriginOptions } from './origin-options.ts'

/** The options of retries. */
export interface RetryOptions {
  /** The limit on the attempts of a call, the first one included. @default 2 */
  readonly maxAttempts?: number
  /** The limit on the first pause, in ms. It doubles with each pause. A pause is random below its limit. @default 25 */
  readonly initialDelay?: number
  /** Limit on every pause, in ms. @default 250 */
  readonly maxDelay?: number
}

/** The options of hedging: a second attempt while the first is in flight. */
export interface HedgeOptions {
  /**
   * The time to wait for the first attempt, in ms.
   * @default the latency at `percentile` of the operation's latest calls
   */
  readonly delay?: number
  /**
   * The percentile of the latencies after which the second attempt is sent. It is at least 50 and below 100.
   * @default 98
   */
  readonly percentile?: number
  /** Limit on second attempts, as a ratio to the calls of the last 10 s. @default 0.03 */
  readonly maxRatio?: number
}

/** The limit on the attempts beyond the first attempt of each call. It covers retries and hedges together. */
export interface RetryBudgetOptions {
  /** Ratio of these attempts to the calls sent in the last 10 s. @default 0.2 */
  readonly ratio?: number
  /** Attempts per second that are always allowed, independently of the number of calls. @default 10 */
  readonly minPerSecond?: number
  /**
   * Uses one budget for all replicas, if the service shares its state on Redis. `minPerSecond` is then that of all
   * replicas together.
   * @default false
   */
  readonly shared?: boolean
}

/** The conditions under which the circuit breaker opens, and the time it stays open. */
export interface BreakerOptions {
  /** Ratio of failed calls that opens the breaker, above 0 and up to 1. @default 0.5 */
  readonly failureRatio?: number
  /** The number of calls within the window from which the ratio can open the breaker. @default 20 */
  readonly minimumCalls?: number
  /** Length of the sliding window, in ms. @default 10000 */
  readonly window?: number
  /**
   * The number of consecutive failures within the window that opens the breaker, independently of the ratio.
   * @default 20, or `minimumCalls` if that is more
   */
  readonly consecutiveFailures?: number
  /**
   * The time that the breaker stays open before it admits one run, in ms. It doubles each time the upstream fails
   * again.
   * @default 5000
   */
  readonly openDuration?: number
  /**
   * The limit on the time that the breaker stays open, in ms. It is at least `openDuration`.
   * @default 60000, or `openDuration` if that is more
   */
  readonly maxOpenDuration?: number
}

/**
 * Options of `defineUpstream`.
 *
 * @example
 * ```ts
 * import { env, type UpstreamOptions } from 'headwaters'
 *
 * const options: UpstreamOptions = {
 *   origin: 'https://prices.example.com',
 *   publicOnly: true,
 *   auth: { bearer: env('PRICES_TOKEN') },
 *   concurrency: 'adaptive',
 *   attemptTimeout: 400,
 *   retry: { maxAttempts: 3 },
 *   hedge: true,
 * }
 * ```
 */
export interface UpstreamOptions extends AccessOptions {
  /**
   * The scheme, host and port, for example `https://catfact.ninja`. A base path, as in `https://api.example/v1`, comes
   * before the path of every operation. An upstream has `origin` or `origins`.
   * @default the origins in `origins`
   */
  readonly origin?: string
  /**
   * The origins of the upstream, 1 to 64, if there are several. Each attempt is sent to one of them. A string is the
   * `origin` of an entry.
   * @default the one in `origin`
   */
  readonly origins?: readonly (string | OriginOptions)[]
  /** The choice among `origins`. @default the defaults of `BalanceOptions` */
  readonly balance?: BalanceOptions
  /**
   * The limit on calls in flight. With `'adaptive'` it changes with the load that the upstream can handle.
   * @default 64
   */
  readonly concurrency?: number | 'adaptive'
  /**
   * Divides `concurrency` by the number of live replicas, if the service shares its state on Redis. A process has at
   * least one permit. Excludes `concurrency: 'adaptive'`.
   * @default false
   */
  readonly divideConcurrency?: boolean
  /** The limit on sockets, at least `concurrency`. @default `concurrency` + 16, or 200 if it is adaptive */
  readonly connections?: number
  /**
   * The limit on calls that wait for a permit. At this limit a new run is refused, or takes the place of a run of lower
   * criticality.
   * @default 2048
   */
  readonly maxQueue?: number
  /**
   * Retries of calls that fail for a transient reason. A call is retried if it is idempotent or was never sent.
   * @default { maxAttempts: 2 }
   */
  readonly retry?: RetryOptions | false
  /**
   * Sends a second attempt of a slow safe call while the first is in flight. The first good answer is used.
   * @default false
   */
  readonly hedge?: HedgeOptions | boolean
  /** Limit on retries and hedges together. @default { ratio: 0.2, minPerSecond: 10, shared: false } */
  readonly retryBudget?: RetryBudgetOptions
  /**
   * The circuit breaker, which refuses calls while the upstream fails.
   * @default { failureRatio: 0.5, minimumCalls: 20, consecutiveFailures: 20, window: 10000, openDuration: 5000,
   * maxOpenDuration: 60000 }
   */
  readonly breaker?: BreakerOptions | false
  /**
   * Limit on one attempt of a safe call, from dispatch to the last byte, in ms. Unsafe calls have no such limit:
   * `totalTimeout` and the deadline end them.
   * @default 1000
   */
  readonly attemptTimeout?: number
  /**
   * The limit on one call, in ms. It includes the time in the queue and all attempts.
   * @default the rest of the deadline
   */
  readonly totalTimeout?: number
  /**
   * The limit on the time to open a connection, in ms. It includes DNS, all addresses, a proxy's tunnel and TLS.
   * @default 1000
   */
  readonly connectTimeout?: number
  /**
   * The limit on the size of one answer, in bytes. It applies to the received and to the decoded body.
   * @default 5 MiB
   */
  readonly maxResponseBytes?: number
  /**
   * The limit on the names and values of the headers of one answer, in bytes, from 1024 to 1048576. Raise it only for
   * an upstream that sends larger headers, because the headers of an answer are parsed at once.
   * @default 16384
   */
  readonly maxResponseHeaderBytes?: number
  /**
   * The limit on the size of the body of one request, in bytes. A larger body is not sent.
   * @default 5 MiB
   */
  readonly maxRequestBytes?: number
  /**
   * The limit on list items plus object fields in one JSON answer. Parsing and checking a larger answer would block the
   * event loop.
   * @default 100000
   */
  readonly maxJsonValues?: number
  /**
   * Limit on the memory of all stored answers of operations with `cache`, in bytes. One answer may use an eighth of it.
   * A larger answer is returned but not stored.
   * @default 32 MiB
   */
  readonly maxCacheBytes?: number
  /**
   * Names of headers of the caller's request that are also sent with every call. The case of the names does not
   * matter. The `vary` of a reply names them.
   * @default []
   */
  readonly forwardHeaders?: readonly string[]
  /**
   * Sends the trace context of the run with every call: `traceparent`, which names a new span per attempt, and
   * `tracestate` (W3C Trace Context).
   * @default false
   */
  readonly traceContext?: boolean
  /** Headers sent with every call. @default {} */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Requests compressed answers.
   * @default true
   */
  readonly decompress?: boolean
  /**
   * The limit on the redirects that one attempt of a safe call follows, up to 10. A redirect is followed within the
   * origin and its base path only. All requests of an attempt share its timeout. With 0 a redirect is a failure.
   * @default 0
   */
  readonly redirects?: number
  /**
   * The number of safe calls that are sent one after the other over one connection, before the first of them is
   * answered. Only calls that start in the same turn of the event loop are sent in this way. Use it only for upstreams
   * that you operate yourself: a slow answer delays the calls behind it, and a lost connection fails all of them.
   * @default 1
   */
  readonly pipelining?: number
  /** Custom layers, the outermost first. @default {} */
  readonly layers?: Layers
}
