import type { CountedUpstream } from './upstream-metrics.ts'

/** The part of an aggregate that limits its series. */
export interface LimitedAggregate {
  readonly route: { readonly method: string; readonly stream: boolean }
  readonly steps: readonly { readonly kind: string; readonly minSuccess: number | undefined }[]
  /** The statuses of its reply. */
  readonly statuses: readonly number[]
  readonly hooks: { readonly context: object | undefined }
}

/** The part of an operation that limits its series. */
export interface LimitedOperation {
  readonly safe: boolean
  readonly coalesce: boolean
  readonly cache: object | undefined
  readonly allowEmpty: boolean
  readonly nullOn: readonly number[]
  readonly responses?: ReadonlyMap<number, object> | undefined
}

/** The part of an upstream that limits its series. */
export interface LimitedUpstream extends CountedUpstream {
  readonly caches: boolean
  readonly layers: { readonly call: readonly unknown[]; readonly attempt: readonly unknown[] }
  readonly auth: object | undefined
  /** The origins; `undefined` for an upstream with one. */
  readonly origins: readonly LimitedOrigin[] | undefined
}

/** The part of an origin that limits its series. */
export interface LimitedOrigin {
  /** True if each address of its name is an origin. */
  readonly addresses: boolean
  /** The name of SRV records, each target of which is an origin. */
  readonly srv: string | undefined
}

/** The declarations that a service serves and calls. */
export interface LimitedService {
  readonly aggregates: readonly LimitedAggregate[]
  readonly upstreams: readonly {
    readonly spec: LimitedUpstream
    readonly operations: readonly LimitedOperation[]
  }[]
  /** The number of routes that are not routes of aggregates. */
  readonly otherRoutes: number
  /** The number of routes of bulk runs, each with one method; 0 if the service has none. */
  readonly bulkRoutes: number
}
