import type { z } from 'zod'
import type { AccessSpec } from './access-spec.ts'
import type { BalanceSpec } from './balance-spec.ts'
import type { BodyType } from './body-type.ts'
import type { CachePolicy } from './cache-policy.ts'
import type { CoalesceSpec } from './check-coalesce.ts'
import type { ResponseSpec } from './check-response.ts'
import type { KeyBatchSpec } from './key-batch-spec.ts'
import type { HeaderInput } from './header-input.ts'
import type { Layers } from './layers.ts'
import type { UpstreamOptions } from './options.ts'
import type { OriginSpec } from './origins-spec.ts'
import type { PoliciesSpec } from './policies-spec.ts'
import type { Template } from './template.ts'

/** The number of permits that an adaptive concurrency limit starts with. */
export const initialConcurrency = 20

/** The checked declaration of an upstream, with its defaults. */
export interface UpstreamSpec
  extends
    Required<Omit<UpstreamOptions, 'origins' | 'balance' | 'totalTimeout' | keyof PoliciesSpec | keyof AccessSpec>>,
    PoliciesSpec,
    AccessSpec {
  readonly name: string
  /** The origins among which each attempt has one; `undefined` if `origin` is the only one. */
  readonly origins: readonly OriginSpec[] | undefined
  readonly balance: BalanceSpec
  readonly totalTimeout: number | undefined
  readonly layers: Required<Layers>
  /** The number of permits that an adaptive limit starts with. @default 20 */
  readonly initialConcurrency?: number
  /** True if an operation coalesces equal calls. */
  readonly coalesces: boolean
  /** True if replicas share the calls of an operation. */
  readonly coalescesReplicas: boolean
  /** True if an operation stores answers. */
  readonly caches: boolean
  /** True if the body of an operation can be a stream. */
  readonly streams: boolean
  /** True if an operation lists statuses in `responses`. */
  readonly listsStatuses: boolean
  /** True if calls of an operation share requests by their keys. */
  readonly keyBatches: boolean
  /** True if an operation is unsafe, so that it may change something at the upstream. */
  readonly changes: boolean
}

/** The checked declaration of an operation, bound to its upstream. */
export interface OperationSpec extends ResponseSpec, CoalesceSpec {
  readonly upstream: UpstreamSpec
  /** The name with its upstream: `catfact-ninja.fact`. */
  readonly name: string
  readonly method: string
  /** True if a call changes nothing at the upstream: by its method (RFC 9110, section 9.2.1), or by `safe: true`. */
  readonly safe: boolean
  /** True if several equal requests have the same effect as one (RFC 9110, section 9.2.2). */
  readonly idempotent: boolean
  readonly template: Template
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly bodyType: BodyType
  /** The `content-type` of a body; `undefined` if each body has its own. */
  readonly contentType: string | undefined
  /** The headers in the input; `undefined` if a call has none. */
  readonly headers: HeaderInput | undefined
  /** The cache options; `undefined` if answers are not stored. */
  readonly cache: CachePolicy | undefined
  readonly idempotencyKey: ((input: never) => string) | undefined
  /** The batches of keys; `undefined` if each call is one request. */
  readonly keyBatch: KeyBatchSpec | undefined
  /** True if the calls of a caller's batch may name the operation. */
  readonly batch: boolean
}
