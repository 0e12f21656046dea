import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { ParamsFor, Schema, Shown } from '../upstream/spec/inference.ts'

export type { ParamsFor, ParamsIf, Schema, Shown } from '../upstream/spec/inference.ts'

declare const skipped: unique symbol, wrong: unique symbol

/** What an optional step, or an `each`, returns when there is nothing to ask. */
export interface Skip {
  readonly [skipped]: true
}

/** A type that nothing has: the compiler prints its sentence. */
export interface Wrong<Sentence extends string> {
  readonly [wrong]: Sentence
}

export type Awaitable<T> = T | Promise<T>
/** The value a step brings. */
export type Answered<R> = R extends Call<infer T> ? T : R extends Skip ? never : R
/** What one call of a list brings. */
export type Item<R> = R extends readonly Call<infer T>[] ? T : never
export type Or<T, F> = [F] extends [T] ? T : T | F
/** The list of an `each`: readonly where a fallback that all runs share may stand in it. */
export type Listed<T, F> = [F] extends [never] ? T[] : DeepReadonly<Or<T, F>[]>
export type Names<V> = readonly (keyof V & string)[]
/** What a step sees: the input and the values it needs. */
export type StepArgs<I, V, N extends Names<V>> = Shown<I & Pick<V, N[number]>>

/** What `before` sees beside the input. */
export interface ContextArgs {
  /** Sends a call through the layers of its upstream and waits for its answer. */
  readonly ask: <T>(call: Call<T>) => Promise<T>
}

/** What comes of a `before`: one that returns nothing gives no context. */
export type Within<R, Without, With> = unknown extends R
  ? With
  : [R] extends [never]
    ? Without
    : [R] extends [void]
      ? Without
      : [Extract<R, readonly Call<unknown>[] | Skip>] extends [never]
        ? With
        : Wrong<'before returns one value, or one call: wait for several with ask'>

type Reserved = 'params' | 'query' | 'body' | 'headers' | 'context' | 'signal'

export type Fresh<K extends string, V> = K extends keyof V
  ? Wrong<`a step '${K}' is already declared`>
  : K extends Reserved
    ? Wrong<`'${K}' is part of the input: choose another step name`>
    : K
export type Single<K extends string, V, R> = unknown extends R
  ? Fresh<K, V>
  : [R] extends [void]
    ? Wrong<`step '${K}' must return a call, a value or skip`>
    : [Extract<R, readonly Call<unknown>[]>] extends [never]
      ? Fresh<K, V>
      : Wrong<`step '${K}' returns several calls: use each or firstOf`>
export type Sure<K extends string, V, R> = unknown extends R
  ? Fresh<K, V>
  : [Extract<R, Skip>] extends [never]
    ? Single<K, V, R>
    : Wrong<`required step '${K}' cannot skip: make it optional`>

type Out<S> = S extends z.ZodType ? z.output<S> : {}

/** What every step and the merge see of the request. */
export type Input<Pa, Q, B, H> = {
  readonly params: Out<Pa>
  readonly query: Out<Q>
  readonly headers: Out<H>
  /** Aborted when the run is over, for whatever reason. */
  readonly signal: AbortSignal
} & (B extends z.ZodType ? { readonly body: z.output<B> } : {})

export type AnyParams = ParamsFor<string> | Schema
