import { channel } from 'node:diagnostics_channel'
import type { z } from 'zod'
import { askFor } from './ask.ts'
import type { Call } from './call.ts'
import type { ParamsFor, ParamsIf, Schema, Shown } from './inference.ts'
import { operationSpec, upstreamSpec, type As, type UpstreamSpec } from './spec.ts'

export type { Call } from './call.ts'

type In<S> = S extends z.ZodType ? z.input<S> : {}
type Body<O extends z.ZodType, E extends boolean> = z.output<O> | (E extends true ? null : never)
type Value<O extends z.ZodType, H extends Schema, E extends boolean, A extends readonly number[]> =
  (H extends z.ZodType ? { readonly body: Body<O, E>, readonly headers: z.output<H> } : Body<O, E>) | (A extends readonly [] ? never : null)

/** Makes calls to one thing that an upstream can do; inert, so calling it sends nothing. */
export interface Operation<I, T> {
  (...input: {} extends I ? [input?: I] : [input: I]): Call<T>
  /** The path template. */
  readonly path: string
}

/** What `operation` takes. */
export interface OperationOptions<P, O, Pa, Q, B, H, I> {
  /** @default 'GET' */
  readonly method?: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path template below the origin: `/breeds/{id}`. */
  readonly path: P
  /** One entry for each name in the path; encoded, and kept inside its segment. */
  readonly params?: Pa
  readonly query?: Q
  /** The body, sent as JSON; given under `body` in the call's input. */
  readonly body?: B
  /** What the upstream answers; fields it does not name are dropped. */
  readonly output: O
  /** How the body is read. @default 'json' */
  readonly as?: As
  /** Media types that are read. @default JSON types for 'json', `text/*` for 'text', `*\/*` for 'bytes' */
  readonly accept?: readonly string[]
  /** Whether an empty body is an answer, and is `null`. @default false */
  readonly empty?: boolean
  /** Statuses that mean "there is none": the call answers `null`. @default [] */
  readonly absent?: readonly number[]
  /** Reads response headers too: the call then answers `{ body, headers }`. */
  readonly withHeaders?: H
  /** Whether equal calls in flight share one answer; not for answers that ought to differ. @default false */
  readonly coalesce?: boolean
  /** Makes the `idempotency-key` of a call that is not idempotent by its method. */
  readonly idempotencyKey?: (input: I) => string
}

/** The same with nothing inferred. */
export type AnyOperationOptions = OperationOptions<string, z.ZodType, z.ZodType | undefined, Schema, Schema, Schema, never>

const definition: unique symbol = Symbol('headwaters.operation')
const upstream: unique symbol = Symbol('headwaters.upstream')

/** Tells whoever listens of each upstream as it is declared, exported or not. */
export const declarations = channel('headwaters.upstream')

type Input<Pa, Q, B> = Shown<In<Pa> & In<Q> & (B extends z.ZodType ? { readonly body: z.input<B> } : {})>

/** Declares one thing that an upstream can do. Throws a `TypeError` for what its types cannot see. */
export function operation<
  const P extends string, O extends z.ZodType,
  Pa extends ParamsFor<NoInfer<P>> | undefined = undefined, Q extends Schema = undefined, B extends Schema = undefined,
  H extends Schema = undefined, const E extends boolean = false, const A extends readonly number[] = [],
> (options: OperationOptions<P, O, Pa, Q, B, H, Input<Pa, Q, B>> & { readonly empty?: E, readonly absent?: A } & ParamsIf<NoInfer<P>>):
  Operation<Input<Pa, Q, B>, Value<O, H, E, A>> {
  const unbound = () => { throw new TypeError(`the operation '${options.path}' belongs to no upstream: give it to defineUpstream`) }
  return Object.assign(unbound, { path: options.path, [definition]: options })
}

/** What `defineUpstream` takes. */
export interface UpstreamOptions {
  /** Scheme, host and port: `https://catfact.ninja`. A path belongs into the operations. */
  readonly origin: string
  /** Calls on the wire at once. @default 64 */
  readonly slots?: number
  /** Sockets at most; never fewer than `slots`. @default the slots */
  readonly connections?: number
  /** Calls that may wait for a slot before new runs are refused. @default 256 */
  readonly queue?: number
  /** Limit on one attempt, from dispatch to the last byte, in ms. @default 1000 */
  readonly timeout?: number
  /** Limit on one call with its waiting and all its attempts, in ms. @default what remains of the run's deadline */
  readonly deadline?: number
  /** Limit on opening a connection, TLS included, in ms. @default 1000 */
  readonly connectTimeout?: number
  /** Bytes of one answer, on the wire and decoded. @default 5 MiB */
  readonly maxBytes?: number
  /** Inbound headers that are sent on, by name. @default [] */
  readonly forward?: readonly string[]
  /** Headers sent with every call. @default {} */
  readonly headers?: Readonly<Record<string, string>>
  /** Whether to ask for compressed answers. @default true */
  readonly decompress?: boolean
}

/** An upstream: its operations by name. */
export type Upstream<Ops> = Ops & { readonly [upstream]: UpstreamSpec }

/** Declares a service we call. Opens nothing and holds no state. Throws a `TypeError` that names the option and the fix. */
export function defineUpstream<const Ops extends Readonly<Record<string, Operation<never, unknown>>>> (
  name: string, options: UpstreamOptions, operations: Ops,
): Upstream<Ops> {
  const spec = upstreamSpec(name, options, Object.values(operations).some(each => definitionOf(each)?.coalesce))
  declarations.publish(spec)
  const bound = Object.entries(operations).map(([key, unbound]) => [key, bind(spec, key, unbound)] as const)
  return Object.freeze(Object.assign(Object.fromEntries(bound), { [upstream]: spec })) as unknown as Upstream<Ops>
}

/** What an upstream was declared to be. */
export function specOf (declared: Upstream<unknown>): UpstreamSpec {
  return declared[upstream]
}

function definitionOf (unbound: Operation<never, unknown>): AnyOperationOptions | undefined {
  return (unbound as unknown as { [definition]?: AnyOperationOptions } | undefined | null)?.[definition]
}

function bind (spec: UpstreamSpec, key: string, unbound: Operation<never, unknown>): Operation<never, unknown> {
  const options = definitionOf(unbound)
  if (options === undefined) throw new TypeError(`${spec.name}.${key} is not an operation: make it with operation({ … })`)
  const ask = askFor(operationSpec(spec, key, options))
  return Object.freeze(Object.assign(ask, { path: options.path }))
}
