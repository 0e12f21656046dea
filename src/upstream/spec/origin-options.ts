/** One origin of an upstream, or a name whose DNS records are origins. */
export interface OriginOptions {
  /** The scheme, host and port. All origins of an upstream have the same scheme and the same base path. */
  readonly origin: string
  /**
   * The share of the calls relative to the other origins, from 1 to 1000. With `addresses` it is that of each address.
   * @default 1
   */
  readonly weight?: number
  /** If true, each A and AAAA record of the host is an origin. @default false */
  readonly addresses?: boolean
  /**
   * The name of SRV records, such as `_http._tcp.users.example`. Each target with its port and weight is an origin.
   * @default no SRV records
   */
  readonly srv?: string
}

/** The ejection of origins that fail or are slow, for some time. */
export interface EjectionOptions {
  /** The number of consecutive failed attempts that ejects an origin. @default 5 */
  readonly consecutiveFailures?: number
  /**
   * An origin is ejected if its median latency of a second is above this multiple of the median of all origins.
   * @default 5
   */
  readonly latencyRatio?: number
  /** The length of the first ejection, in ms. It doubles with each one that follows soon. @default 5000 */
  readonly duration?: number
  /** The limit on the length of an ejection, in ms. @default 60000, or `duration` if that is more */
  readonly maxDuration?: number
  /** The largest share of the origins that is ejected at once, from 0 to 0.5. @default 0.5 */
  readonly maxRatio?: number
}

/** Requests that check the origins while no call needs them. */
export interface HealthCheckOptions {
  /** The path below the base path. A status from 200 to 299 passes. */
  readonly path: string
  /** The time between two checks of an origin, in ms. @default 5000 */
  readonly interval?: number
  /** The limit on one check, in ms, at most `interval`. @default 1000 */
  readonly timeout?: number
  /** The number of consecutive failed checks after which an origin gets no calls. @default 3 */
  readonly unhealthyAfter?: number
  /** The number of consecutive passed checks after which an origin gets calls again. @default 2 */
  readonly healthyAfter?: number
}

/** Options for the choice among the origins of an upstream. */
export interface BalanceOptions {
  /** The ejection of origins that fail or are slow. @default {} */
  readonly ejection?: EjectionOptions | false
  /** Requests that check the origins. @default no checks */
  readonly healthCheck?: HealthCheckOptions
  /** The time over which a new or returned origin grows to its full share, in ms. 0 means at once. @default 10000 */
  readonly slowStart?: number
  /** If the share of available origins is below this ratio, all origins are used. @default 0.5 */
  readonly panicRatio?: number
}
