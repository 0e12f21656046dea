import { channel } from 'node:diagnostics_channel'
import type { z } from 'zod'
import { callFactory } from './call/create-call.ts'
import { keyCallFactory } from './call/key-call.ts'
import type { Call } from './call/call.ts'
import { checkObject } from '../core/option-values.ts'
import type { BodyFor, BodyType } from './spec/body-type.ts'
import type { HeadersSchema, ParamsFor, ParamsIf, Schema } from './spec/inference.ts'
import type { KeyBatchOptions, Untyped } from './spec/key-batch-options.ts'
import type { AnyOperationOptions, CacheOptions, OperationOptions } from './spec/operation-options.ts'
import type { UpstreamOptions } from './spec/options.ts'
import type { OutputIf, Responses } from './spec/response-types.ts'
import { recordOperation, recordUpstream } from './declared-specs.ts'
import type { Declared, Given, Input, Operation, Value } from './operation.ts'
import { operationSpec } from './spec/check-operation.ts'
import { upstreamSpec } from './spec/check-upstream.ts'
import type { OperationSpec, UpstreamSpec } from './spec/spec.ts'

export type { Call } from './call/call.ts'
export type { Operation } from './operation.ts'
export type { UpstreamOptions } from './spec/options.ts'
export { env } from './spec/secret.ts'

const definition: unique symbol = Symbol('headwaters.operation')
const upstream: unique symbol = Symbol('headwaters.upstream')

/** The diagnostics channel that publishes each upstream when it is declared, exported or not. */
export const declarations = channel('headwaters.upstream')

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
  recordUpstream(spec)
  const bound = Object.entries(operations).map(([key, unbound]) => {
    const own = checkedOperation(spec, key, unbound)
    const create = own.keyBatch === undefined ? callFactory(own) : keyCallFactory(own)
    const given = definitionOf(unbound) as AnyOperationOptions
    recordOperation(spec, key, own, given, create as (input?: unknown) => Call<unknown>)
    return [key, Object.freeze(Object.assign(create, { path: own.template.path }))] as const
  })
  return Object.freeze(Object.assign(Object.fromEntries(bound), { [upstream]: spec })) as unknown as Upstream<Ops>
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
