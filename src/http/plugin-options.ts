import type { RunEvent } from '../fanout/events.ts'
import type { AggregateList } from '../fanout/require-reply.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { Override, Runtime, RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'
import type { BatchOptions } from './batch/batch-options.ts'
import type { BatchService } from './batch/batch-service.ts'
import type { InboundBodies } from './bodies/inbound-bodies.ts'
import type { OpenStreams } from './connection/open-streams.ts'
import type { RequestCounter } from './metrics/request-counter.ts'
import type { LoadGauge } from './reply/route-services.ts'
import type { StreamOptions } from './stream/stream-options.ts'

/**
 * Options of the plugin.
 *
 * @example
 * ```ts
 * import type { AnyAggregate, HeadwatersOptions } from 'headwaters'
 *
 * declare const catFacts: AnyAggregate
 *
 * const options: HeadwatersOptions = { aggregates: [catFacts], environment: process.env }
 * ```
 */
export interface HeadwatersOptions {
  /** The aggregates that become routes. */
  readonly aggregates: AggregateList
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /**
   * The variables that `env('NAME')` of a declaration reads, for example `process.env`.
   * @default {}
   */
  readonly environment?: RuntimeOptions['environment']
  /** Custom layers around every upstream, the outermost first. @default {} */
  readonly layers?: Layers
  /** The threads in which offloaded functions run. @default those of `ThreadOptions` */
  readonly threads?: RuntimeOptions['threads']
  /**
   * An existing runtime, for example one that several plugins share. The code that created it must close it.
   * @default a new runtime, which closes with the app
   */
  readonly runtime?: Runtime
  /**
   * Counts the runs of these routes, and decides whether a new run leaves out its optional steps.
   * @default none
   */
  readonly load?: LoadGauge
  /**
   * The share of the complete runs whose log line has the level `info`, from 0 to 100. The lines of the others have the
   * level `debug`. Partial and failed runs are not affected.
   * @default 100
   */
  readonly logCompletePercent?: number
  /**
   * Adds a `schema` to each route that describes its input and its replies, for `@fastify/swagger` and similar
   * collectors.
   * @default true
   */
  readonly describe?: boolean
  /**
   * Limit on all request bodies that these routes receive at the same time, in bytes together; 0 disables the limit.
   * @default 64 MiB
   */
  readonly bodiesBytes?: number
  /**
   * The share of new traces that are marked as sampled, from 0 to 100. A trace is new if a request has no valid
   * `traceparent`. Any other request keeps the mark of its caller.
   * @default 0
   */
  readonly traceSampledPercent?: number
  /**
   * The part of the outcomes of the steps that callers see, for aggregates without an option `sources`: all of it, the
   * names and states of the steps, or nothing.
   * @default 'full'
   */
  readonly sources?: SourcesLevel
  /**
   * If true, the header `x-headwaters-fault` of a request makes calls of its run slow or fail, for a test of the pages
   * that use these routes. Any caller can send it, so it is not for production.
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
   * Called with each event of each run of these routes. If it throws or rejects, the error is logged, at most once per
   * minute, and the reply does not change.
   * @default not called
   */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** Options of the registration by the service itself. */
export interface ServiceOptions extends HeadwatersOptions {
  /** The bodies that are being received. @default those of this registration, with a limit of `bodiesBytes` */
  readonly bodies?: InboundBodies
  /** Counts the requests of these routes. @default a counter of this registration */
  readonly requests?: RequestCounter
  /** The open streams of these routes. @default those of this registration */
  readonly openStreams?: OpenStreams
  /** Counts the calls of a batch towards the rate limit of its client. @default no limit */
  readonly countCalls?: BatchService['countCalls']
}
