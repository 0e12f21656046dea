/**
 * Declarations of upstreams and aggregates, the plugin for Fastify, and the runtime for use without a server.
 *
 * @module headwaters
 */
import './check-node.ts'
export type { ReplyExtras } from './fanout/on-reply.ts'
export {
  aggregate,
  chain,
  offload,
  refuse,
  skip,
  times,
  type Aggregate,
  type AnyAggregate,
  type Builder,
  type Replied,
  type Skip,
} from './fanout/aggregate.ts'
export type { Chain } from './fanout/chain.ts'
export { byCursor } from './fanout/page-by-cursor.ts'
export { byLink } from './fanout/page-by-link.ts'
export { byOffset } from './fanout/page-by-offset.ts'
export type { CallList, NextPage, Page } from './fanout/page-types.ts'
export { fanOut, type FanOutOptions } from './fanout/fan-out.ts'
export type { EventRun, RunEvent } from './fanout/events.ts'
export type { RawInput } from './fanout/input.ts'
export type { FailedCall, Outcome, State } from './fanout/outcome.ts'
export type { Reply } from './fanout/reply.ts'
export { headwaters } from './http/plugin.ts'
export type { HeadwatersOptions } from './http/plugin-options.ts'
export type { BatchOptions } from './http/batch/batch-options.ts'
export type { StreamOptions } from './http/stream/stream-options.ts'
export type { Entry as CacheEntry } from './upstream/policies/cache/entry.ts'
export { createMemoryStore, type MemoryStoreOptions } from './upstream/policies/cache/memory-store.ts'
export type {
  CacheLease,
  CacheLeaseName,
  CacheLeases,
  CacheLeaseState,
  CacheStore,
  CacheStoreFault,
  CacheStoreLookup,
} from './upstream/policies/cache/store.ts'
export {
  defineUpstream,
  env,
  operation,
  type Call,
  type Operation,
  type Upstream,
  type UpstreamOptions,
} from './upstream/declare.ts'
export type { ThreadOptions } from './threads/threads.ts'
export type { TraceContext } from './trace/trace-context.ts'
export type { DeepReadonly } from './core/freeze.ts'
export type { MetricsSource, RenderedMetrics } from './metrics/source.ts'
export {
  createRuntime,
  type BreakerChange,
  type Override,
  type Runtime,
  type RuntimeOptions,
} from './upstream/runtime.ts'
export type { OriginChange } from './upstream/client-events.ts'
export type { OriginGauge, OriginState } from './upstream/origins/types.ts'
export type {
  BalanceOptions,
  EjectionOptions,
  HealthCheckOptions,
  OriginOptions,
} from './upstream/spec/origin-options.ts'
export type { Answer } from './upstream/spec/answer.ts'
export { withContext } from './upstream/policies/custom/with-context.ts'
export type { CustomLayer, LayerCall, LayerNext, LayerUpstream } from './upstream/spec/layer-types.ts'
export type { Layers } from './upstream/spec/layers.ts'
export { Problem, UpstreamError, errors, type ErrorCode, type Fault } from './errors.ts'
