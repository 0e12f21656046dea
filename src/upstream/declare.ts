import { channel } from 'node:diagnostics_channel'
import type { z } from 'zod'
import { callFactory } from './call/create-call.ts'
import { keyCallFactory } from './call/key-call.ts'
import type { Call } from './call/call.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import { checkObject } from '../core/option-values.ts'
import type { BodyFor, BodyType } from './spec/body-type.ts'
import type { HeadersInput, HeadersSchema, ParamsFor, ParamsIf, Schema, Simplify } from './spec/inference.ts'
import type { KeyBatchOptions, Untyped } from './spec/key-batch-options.ts'
import type { AnyOperationOptions, CacheOptions, OperationOptions } from './spec/operation-options.ts'
import type { UpstreamOptions } from './spec/options.ts'
import type { OutputIf, Responses, StatusValue } from './spec/response-types.ts'
import { operationSpec } from './spec/check-operation.ts'
import { upstreamSpec } from './spec/check-upstream.ts'
import type { OperationSpec, UpstreamSpec } from './spec/spec.ts'

export type { Call } from './call/call.ts'
export type { UpstreamOptions } from './spec/options.ts'
export { env } from './spec/secret.ts'

type SchemaInput<S> = S extends z.ZodType ? z.input<S> : {}
type Body<O extends z.ZodType, E extends boolean> = z.output<O> | (E extends true ? null : never)
/** The value of an answer. Several callers share it if the operation coalesces or caches; it is frozen then. */
type Given<T, Co, Ca> = [Co, Ca] extends [false, false] ? T : DeepReadonly<T>
type OutputValue<O extends z.ZodType, H extends Schema, E extends boolean, A extends readonly number[]> =
  | (H extends z.ZodType ? { readonly body: Body<O, E>; readonly headers: z.output<H> } : Body<O, E>)
  | (A extends readonly [] ? never : null)
type Value<
  R,
  O extends z.ZodType,
  H extends Schema,
  E extends boolean,
  A extends readonly number[],
> = R extends Responses ? StatusValue<R, H> : OutputValue<O, H, E, A>

/**
 * One operation of an upstream. It is a function that creates calls and sends nothing. A step of an aggregate returns
 * the calls.
 */
export interface Operation<I, T> {
  /**
   * Creates a call.
   *
   * @param input The fields of `params` and `query`, the body under `body`, and the headers under `headers`. With
   *   `keyBatch` it is one key.
   * @returns The call. Its input is checked when the call is created.
   * @throws `CALL_INPUT_INVALID` for an input that the schemas or the path refuse.
   * @throws `TypeError` for an operation that was not passed to `defineUpstream`.
   */
  (...input: {} extends I ? [input?: DeepReadonly<I>] : [input: DeepReadonly<I>]): Call<T>
  /** The path template. */
  readonly path: string
}

const definition: unique symbol = Symbol('headwaters.operation')
const upstream: unique symbol = Symbol('headwaters.upstream')

/** The operations of each upstream. */
const operationsOfSpecs = new WeakMap<UpstreamSpec, readonly OperationSpec[]>()

/** The options of the operations of each upstream, by their names. */
const optionsOfSpecs = new WeakMap<UpstreamSpec, Readonly<Record<string, AnyOperationOptions>>>()

/** The declarations of the operations of upstreams. */
const specsOfOperations = new WeakMap<object, OperationSpec>()

/** The operations of the declarations. */
const operationsBySpec = new WeakMap<OperationSpec, (input?: unknown) => Call<unknown>>()

/** The diagnostics channel that publishes each upstream when it is declared, exported or not. */
export const declarations = channel('headwaters.upstream')

/** The input of a body. The key `body` is optional if its schema accepts `undefined`. */
type BodyInput<B> = B extends z.ZodType
  ? undefined extends z.input<B>
    ? { readonly body?: z.input<B> }
    : { readonly body: z.input<B> }
  : {}

/** The operation of a declaration: the input of its calls is a key if it has a `keyBatch`. */
type Declared<K, I, T, V> = 0 extends 1 & K
  ? Operation<K, DeepReadonly<V>>
  : [K] extends [Untyped<string>]
    ? Operation<I, T>
    : Operation<K, DeepReadonly<V>>

type Input<Pa, Q, B, Hd> = Simplify<SchemaInput<Pa> & SchemaInput<Q> & BodyInput<B> & HeadersInput<Hd>>

/**
 * Declares an operation of an upstream: a method, a path and the schemas of its input and its output. Pass it to
 * `defineUpstream`.
 *
 * @param options The path, the schemas and the options of the operation.
 * @returns The operation, which belongs to no upstream yet.
 * @throws `TypeError` for an option that the types cannot check. `defineUpstream` throws it, with the name of the
 *   operation.
 * @example
 * ```ts
 * import { operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const price = operation({
 *   path: '/prices/{id}',
 *   params: z.object({ id: z.string() }),
 *   query: z.object({ currency: z.enum(['EUR', 'USD']).optional() }),
 *   output: z.object({ cents: z.number() }),
 *   nullOn: [404],
 *   cache: { ttl: 60_000 },
 * })
 * ```
 */
export function operation<
  const P extends string,
  O extends z.ZodType,
  Pa extends ParamsFor<NoInfer<P>> | undefined = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  H extends Schema = undefined,
  const E extends boolean = false,
  const A extends readonly number[] = [],
  const Co extends boolean | 'replicas' = false,
  const Ca extends boolean | CacheOptions = false,
  R extends Responses | undefined = undefined,
  K = Untyped<'give the keys a type: call: (ids: readonly string[]) => ({ ids })'>,
  V = never,
  Hd extends HeadersSchema = undefined,
  const BT extends BodyType = 'json',
>(
  options: OperationOptions<
    P,
    O,
    Pa,
    Q,
    B,
    H,
    Input<Pa, Q, B, Hd>,
    R,
    KeyBatchOptions<K, NoInfer<Input<Pa, Q, B, Hd>>, Value<R, O, H, E, A>, V>
  > & {
    readonly headers?: Hd
    readonly allowEmpty?: E
    readonly nullOn?: A
    readonly coalesce?: Co
    readonly cache?: Ca
    readonly bodyType?: BT
  } & ParamsIf<'path', NoInfer<P>, NoInfer<Pa>> &
    BodyFor<BT, NoInfer<B>> &
    OutputIf<NoInfer<R>>,
): Declared<K, Input<Pa, Q, B, Hd>, Given<Value<R, O, H, E, A>, Co, Ca>, V> {
  checkObject('operation()', 'its options', options, "operation({ path: '/facts', output: z.object({ … }) })")
  const unbound = () => {
    throw new TypeError(`the operation '${options.path}' belongs to no upstream: pass it to defineUpstream`)
  }
  return Object.assign(unbound, { path: options.path, [definition]: options })
}

/** An upstream: its operations, by name. */
export type Upstream<Ops> = Ops & { readonly [upstream]: UpstreamSpec }

/**
 * Declares an upstream: its origin, its options and its operations. It opens no connection and holds no state; both
 * belong to a runtime.
 *
 * @param name The name, in lower case with hyphens. It is part of the names of environment variables and log lines.
 * @param options The origin, the limits and the policies of the upstream.
 * @param operations The operations, by name.
 * @returns The operations, which now make calls to this upstream.
 * @throws `TypeError` for an option that is wrong or contradicts another one. The message names the upstream, the
 *   option and the fix.
 * @example
 * ```ts
 * import { defineUpstream, env, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const prices = defineUpstream('prices', {
 *   origin: 'https://prices.example.com',
 *   auth: { bearer: env('PRICES_TOKEN') },
 *   concurrency: 32,
 *   attemptTimeout: 400,
 * }, {
 *   price: operation({
 *     path: '/prices/{id}',
 *     params: z.object({ id: z.string() }),
 *     output: z.object({ cents: z.number() }),
 *   }),
 * })
 * const call = prices.price({ id: 'a1' }) // sends nothing
 * ```
 */
export function defineUpstream<const Ops extends Readonly<Record<string, Operation<never, unknown>>>>(
  name: string,
  options: UpstreamOptions,
  operations: Ops,
): Upstream<Ops> {
  checkObject(`upstream '${name}'`, 'its operations', operations, '{ facts: operation({ … }) }')
  const spec = upstreamSpec(name, options, Object.values(operations).map(definitionOf))
  declarations.publish(spec)
  const specs: OperationSpec[] = []
  operationsOfSpecs.set(spec, specs)
  const given: Record<string, AnyOperationOptions> = {}
  optionsOfSpecs.set(spec, given)
  const bound = Object.entries(operations).map(([key, unbound]) => {
    const own = checkedOperation(spec, key, unbound)
    specs.push(own)
    given[key] = definitionOf(unbound) as AnyOperationOptions
    const create = own.keyBatch === undefined ? callFactory(own) : keyCallFactory(own)
    specsOfOperations.set(create, own)
    operationsBySpec.set(own, create as (input?: unknown) => Call<unknown>)
    return [key, Object.freeze(Object.assign(create, { path: own.template.path }))] as const
  })
  return Object.freeze(Object.assign(Object.fromEntries(bound), { [upstream]: spec })) as unknown as Upstream<Ops>
}

/** Returns the operations of an upstream, in the order of their declaration. */
export function operationsOf(spec: UpstreamSpec): readonly OperationSpec[] {
  return operationsOfSpecs.get(spec) as readonly OperationSpec[]
}

/** Returns the options with which the operations of an upstream were declared, by their names. */
export function operationOptionsOf(spec: UpstreamSpec): Readonly<Record<string, AnyOperationOptions>> {
  return optionsOfSpecs.get(spec) as Readonly<Record<string, AnyOperationOptions>>
}

/** Returns the checked declaration of an operation; `undefined` for an operation that belongs to no upstream. */
export function specOfOperation(declared: Operation<never, unknown>): OperationSpec | undefined {
  return specsOfOperations.get(declared)
}

/** Returns the operation of a declaration: the function that creates its calls. */
export function createCallOf(spec: OperationSpec): (input?: unknown) => Call<unknown> {
  return operationsBySpec.get(spec) as (input?: unknown) => Call<unknown>
}

/** Returns the checked declaration of an upstream. */
export function specOf(declared: Upstream<unknown>): UpstreamSpec {
  return declared[upstream]
}

function definitionOf(unbound: Operation<never, unknown>): AnyOperationOptions | undefined {
  return (unbound as unknown as { [definition]?: AnyOperationOptions } | undefined | null)?.[definition]
}

function checkedOperation(spec: UpstreamSpec, key: string, unbound: Operation<never, unknown>): OperationSpec {
  const options = definitionOf(unbound)
  if (options === undefined)
    throw new TypeError(`${spec.name}.${key} is not an operation: make it with operation({ … })`)
  return operationSpec(spec, key, options)
}
