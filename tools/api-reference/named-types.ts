/**
 * Types that appear in the signatures of the other modules. They cannot be imported. Write the value where it is used:
 * TypeScript infers its type.
 *
 * @module named types
 */
export type { Limits } from '../../src/http/guard/server-limits.ts'
export type { PressureLimits } from '../../src/http/guard/pressure.ts'
export type { CountRequest, RateCount } from '../../src/http/guard/shared-rate-store.ts'
export type { ServiceOptions } from '../../src/http/plugin-options.ts'
export type { LoadGauge } from '../../src/http/reply/route-services.ts'
export type { OpenapiInfo } from '../../src/http/openapi/info.ts'
export type { Overflow } from '../../src/core/bounds.ts'
export type { Partition } from '../../src/core/partition.ts'
export type { ProblemHeaders, ProblemOptions, UpstreamErrorOptions, Verdict } from '../../src/errors.ts'
export type { OnReplyArgs } from '../../src/fanout/aggregate-type.ts'
export type { InitialBuilder } from '../../src/fanout/initial-builder.ts'
export type {
  EachBounds,
  EachOptions,
  EachTolerance,
  FirstOfOptions,
  OptionalOptions,
  PagesOptions,
  StepOptions,
} from '../../src/fanout/step-options.ts'
export type { OffsetReaders } from '../../src/fanout/page-by-offset.ts'
export type { Sources } from '../../src/fanout/outcome.ts'
export type { RefuseOptions } from '../../src/fanout/refuse.ts'
export type { ReplyOptions, ReplyStatus, StatusOf } from '../../src/fanout/reply-status.ts'
export type { Criticality, RouteOptions } from '../../src/fanout/route.ts'
export type { SourcesLevel } from '../../src/fanout/sources-level.ts'
export type { BareEvent, CallCounts, StepEvent } from '../../src/fanout/events.ts'
export type {
  AttemptKind,
  CallEvent,
  EventOfCall,
  JoinReason,
  ResendRefusal,
  WaitReason,
} from '../../src/upstream/call/events.ts'
export type { Gauge } from '../../src/upstream/client-gauge.ts'
export type { Counts } from '../../src/upstream/policies/observe.ts'
export type { CacheGauge } from '../../src/upstream/policies/cache/cache.ts'
export type { BreakerState } from '../../src/upstream/policies/breaker/circuit.ts'
export type { AccessOptions, AuthOptions, OAuth2Options, TlsOptions } from '../../src/upstream/spec/access-options.ts'
export type { Cached, ResponseHeaders, SentRequest } from '../../src/upstream/spec/answer.ts'
export type { KeyBatchOptions } from '../../src/upstream/spec/key-batch-options.ts'
export type { BodyType } from '../../src/upstream/spec/body-type.ts'
export type { CacheOptions, OperationOptions, ResponseType } from '../../src/upstream/spec/operation-options.ts'
export type { BreakerOptions, HedgeOptions, RetryBudgetOptions, RetryOptions } from '../../src/upstream/spec/options.ts'
export type { Secret } from '../../src/upstream/spec/secret.ts'
