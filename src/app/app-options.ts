import type { FastifyServerOptions } from 'fastify'
import type { Partition } from '../core/partition.ts'
import type { RunEvent } from '../fanout/events.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { BatchOptions } from '../http/batch/batch-options.ts'
import type { BulkOptions } from '../http/bulk/bulk-options.ts'
import type { PressureLimits } from '../http/guard/pressure.ts'
import type { Limits } from '../http/guard/server-limits.ts'
import type { CountRequest } from '../http/guard/shared-rate-store.ts'
import type { OpenapiInfo } from '../http/openapi/info.ts'
import type { StreamOptions } from '../http/stream/stream-options.ts'
import type { MetricsSource } from '../metrics/source.ts'
import type { Override, Runtime, RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'

/**
 * Options of `buildApp`.
 *
 * @example
 * ```ts
 * import type { AppOptions } from 'headwaters/app'
 *
 * const options: AppOptions = {
 *   environment: process.env,
 *   overrides: { prices: { origin: 'http://127.0.0.1:4000' } },
 *   logger: true,
 *   rateLimit: 600,
 * }
 * ```
 */
export interface AppOptions {
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** Custom layers around every upstream, the outermost first. @default {} */
  readonly layers?: Layers
  /**
   * The variables that `env('NAME')` of a declaration reads.
   * @default {}
   */
  readonly environment?: RuntimeOptions['environment']
  /** The threads in which offloaded functions run. @default the defaults of `ThreadOptions` */
  readonly threads?: RuntimeOptions['threads']
  /**
   * An existing runtime, which closes with the app. With this option, `overrides`, `layers`, `environment`, `threads`,
   * `partition`, `scale`, `onToken` and `shared` are refused. Pass them to `createRuntime` instead.
   * @default a new runtime
   */
  readonly runtime?: Runtime
  /** The part of every upstream's limits that this app uses, if several processes share them. @default all of them */
  readonly partition?: Partition | undefined
  /**
   * The factor for the concurrency and the connections of every upstream, above 0 and at most 1. A factor below 1 saves
   * file descriptors.
   * @default 1
   */
  readonly scale?: number | undefined
  /**
   * The largest number of open connections of callers. At the limit the app closes idle connections and answers new
   * connections with 503.
   * @default no limit
   */
  readonly maxConnections?: number | undefined
  /** Fastify's logger options. @default false */
  readonly logger?: FastifyServerOptions['logger']
  /**
   * The share of the complete runs whose log line has the level `info`, from 0 to 100. The lines of the others have the
   * level `debug`. Partial and failed runs are not affected.
   * @default 100
   */
  readonly logCompletePercent?: number
  /** Returns the number of lost log lines, which `/health/ready` shows. @default not shown */
  readonly lostLogLines?: (() => number) | undefined
  /** Called with each token that a token endpoint returned, so that a log can redact it. @default not called */
  readonly onToken?: ((token: string) => void) | undefined
  /**
   * The limits of one request and its connection.
   * @default the defaults of `Limits`
   */
  readonly limits?: Partial<Limits>
  /** The limits of load and memory at which the app refuses requests. @default the defaults of `PressureLimits` */
  readonly pressure?: Partial<PressureLimits>
  /** The largest number of requests for aggregates per minute and client. 0 disables the limit. @default 0 */
  readonly rateLimit?: number
  /**
   * The state that replicas share: `redisState` of `headwaters/redis` creates it. It counts the requests of
   * `rateLimit`, so it excludes `countRequest`. The app does not close it.
   * @default the state of this app alone
   */
  readonly shared?: RuntimeOptions['shared']
  /** Counts the requests of a client if several processes share the limit. @default a counter in this process */
  readonly countRequest?: CountRequest | undefined
  /**
   * The addresses or networks of proxies whose `x-forwarded-for` is trusted. `true` trusts every sender.
   * @default false
   */
  readonly trustProxy?: boolean | readonly string[]
  /**
   * API keys. If there are keys, each request for an aggregate needs one as `authorization: Bearer <key>`.
   * @default []
   */
  readonly keys?: readonly string[]
  /** Origins whose pages may send requests (CORS). `*` allows every origin. @default [] */
  readonly corsOrigins?: readonly string[]
  /**
   * Serves the metrics of the runtime at `GET /metrics`: without a key, or to requests with
   * `authorization: Bearer <key>`. The `keys` of callers do not open it. Without a key, a request whose host is neither
   * an IP address nor `localhost` is refused with 421, as a protection from DNS rebinding.
   * @default false
   */
  readonly metrics?: boolean | { readonly key: string }
  /**
   * Renders the metrics that `/metrics` serves, if several processes share the port.
   * @default the metrics of the runtime
   */
  readonly metricsSource?: MetricsSource | undefined
  /** The `info` of the API document. @default the title `Aggregates` and the version `0.0.0` */
  readonly info?: OpenapiInfo | undefined
  /**
   * The share of new traces that are marked as sampled, from 0 to 100. A trace is new if a request has no valid
   * `traceparent`. Any other request keeps the mark of its caller.
   * @default 0
   */
  readonly traceSampledPercent?: number
  /**
   * The part of the outcomes of the steps that callers see, for aggregates without an option `sources`: all of it, the
   * names and states of the steps, or nothing. The API document agrees with it.
   * @default 'full'
   */
  readonly sources?: SourcesLevel
  /**
   * If true, the header `x-headwaters-fault` of a request makes calls of its run slow or fail, for a test of the pages
   * that use this app. Any caller can send it, so it is not for production.
   * @default false
   */
  readonly rehearsal?: boolean
  /** The limits of streams. @default the defaults of `StreamOptions` */
  readonly streams?: StreamOptions
  /**
   * The limits of batches, and the operations that batches may call. `false` turns batches off. Without an operation
   * and an aggregate with `batch: true`, there is no route for batches.
   * @default the defaults of `BatchOptions`
   */
  readonly batch?: BatchOptions | false
  /**
   * The store, the queue and the limits of bulk runs. Without it, and without an aggregate with `bulk: true`, there are
   * no routes for bulk runs. The runs go on while the app listens.
   * @default no bulk runs
   */
  readonly bulk?: BulkOptions | undefined
  /**
   * Called with each event of each run. If it throws or rejects, the error is logged, at most once per minute, and the
   * reply does not change.
   * @default not called
   */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /**
   * The time that requests in flight have to finish after the app begins to close, in ms. Requests that are not
   * finished by then are answered with 503.
   * @default 10_000
   */
  readonly drainTimeout?: number
}
