import type { z } from 'zod'
import type { DeepReadonly } from '../core/freeze.ts'
import type { Call } from './call/call.ts'
import type { HeadersInput, Schema, Simplify } from './spec/inference.ts'
import type { Untyped } from './spec/key-batch-options.ts'
import type { Responses, StatusValue } from './spec/response-types.ts'

type SchemaInput<S> = S extends z.ZodType ? z.input<S> : {}
type Body<O extends z.ZodType, E extends boolean> = z.output<O> | (E extends true ? null : never)
/** The value of an answer. Several callers share it if the operation coalesces or caches; it is frozen then. */
export type Given<T, Co, Ca> = [Co, Ca] extends [false, false] ? T : DeepReadonly<T>
type OutputValue<O extends z.ZodType, H extends Schema, E extends boolean, A extends readonly number[]> =
  | (H extends z.ZodType ? { readonly body: Body<O, E>; readonly headers: z.output<H> } : Body<O, E>)
  | (A extends readonly [] ? never : null)
/** The value of an answer, before callers share it. */
export type Value<
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

/** The input of a body. The key `body` is optional if its schema accepts `undefined`. */
type BodyInput<B> = B extends z.ZodType
  ? undefined extends z.input<B>
    ? { readonly body?: z.input<B> }
    : { readonly body: z.input<B> }
  : {}

/** The operation of a declaration: the input of its calls is a key if it has a `keyBatch`. */
export type Declared<K, I, T, V> = 0 extends 1 & K
  ? Operation<K, DeepReadonly<V>>
  : [K] extends [Untyped<string>]
    ? Operation<I, T>
    : Operation<K, DeepReadonly<V>>

/** The input of a call. */
export type Input<Pa, Q, B, Hd> = Simplify<SchemaInput<Pa> & SchemaInput<Q> & BodyInput<B> & HeadersInput<Hd>>
