import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { Chain, Item } from './chain.ts'
import type { ParamsFor, Schema, Simplify } from '../upstream/spec/inference.ts'

export type { ParamsFor, ParamsIf, Schema, Simplify as Shown } from '../upstream/spec/inference.ts'

declare const skipped: unique symbol, wrong: unique symbol

/** The type of `skip`. */
export interface Skip {
  /** For the type checker only. */
  readonly [skipped]: true
}

/** A type that no value has. The compiler prints its sentence in the error. */
export interface TypeErrorMessage<Sentence extends string> {
  readonly [wrong]: Sentence
}

export type Awaitable<T> = T | Promise<T>
/** The value of a step whose function returns `R`. */
export type StepValue<R> = R extends Call<infer T> ? T : R extends Skip ? never : R
/** The value of each call or chain of a list. */
export type ItemValue<R> = R extends readonly (Call<infer T> | Chain<infer T>)[] ? T : never
/** The chain whose last function returns `R`, if all its functions, which return `All`, return a call or a value. */
export type ChainOf<R, All = R> = unknown extends All
  ? Chain<StepValue<R>>
  : void extends All
    ? TypeErrorMessage<'each function of a chain must return a call or a value'>
    : [Extract<All, Unfit>] extends [never]
      ? Chain<StepValue<R>>
      : TypeErrorMessage<'each function of a chain returns one call or a value, and cannot skip'>
type Unfit = Skip | Chain<unknown> | readonly Item[]
/** The type of a value or its fallback: `T` alone if the fallback has that type too. */
export type OrFallback<T, F> = [F] extends [T] ? T : T | F
/** The value of an `each`: readonly if it may contain a fallback, which all runs share. */
export type EachValue<T, F> = [F] extends [never] ? T[] : DeepReadonly<OrFallback<T, F>[]>
/** The names of earlier steps. `V` has their values by name. */
export type StepNames<V> = readonly (keyof V & string)[]
/** The arguments of a step's function: the input and the values it needs. */
export type ArgsFor<I, V, N extends StepNames<V>> = Simplify<I & Pick<V, N[number]>>

/** The arguments of context() in addition to the input. */
export interface ContextArgs {
  /** Sends a call through the layers of its upstream and waits for its answer. */
  readonly ask: <T>(call: Call<T>) => Promise<T>
}

/**
 * The builder after context(), whose function returns `R`. If the function does not return a value, there is no
 * context.
 */
export type ContextResult<R, Without, With> = unknown extends R
  ? With
  : [R] extends [never]
    ? Without
    : [R] extends [void]
      ? Without
      : [Extract<R, Unfit>] extends [never]
        ? With
        : TypeErrorMessage<'context() returns one value, or one call: await several with ask'>

type Reserved = 'params' | 'query' | 'body' | 'headers' | 'context' | 'signal'

/** The name of a step, or the reason for which it is refused. */
export type NewStepName<K extends string, V> = K extends keyof V
  ? TypeErrorMessage<`a step '${K}' is already declared`>
  : K extends Reserved
    ? TypeErrorMessage<`'${K}' is part of the input: choose another step name`>
    : K
/** `NewStepName` for a step whose function returns `R`, which must be one call or one value. */
export type OptionalStepName<K extends string, V, R> = unknown extends R
  ? NewStepName<K, V>
  : [R] extends [void]
    ? TypeErrorMessage<`step '${K}' must return a call, a value or skip`>
    : [Extract<R, readonly Item[]>] extends [never]
      ? [Extract<R, Chain<unknown>>] extends [never]
        ? NewStepName<K, V>
        : TypeErrorMessage<`step '${K}' returns a chain: use each, and return a list`>
      : TypeErrorMessage<`step '${K}' returns several calls: use each or firstOf`>
/** `OptionalStepName` for a step that cannot skip. */
export type RequiredStepName<K extends string, V, R> = unknown extends R
  ? NewStepName<K, V>
  : [Extract<R, Skip>] extends [never]
    ? OptionalStepName<K, V, R>
    : TypeErrorMessage<`required step '${K}' cannot skip: make it optional`>

type SchemaOutput<S> = S extends z.ZodType ? z.output<S> : {}

/** The part of the arguments that comes from the request. */
export type Input<Pa, Q, B, H> = {
  readonly params: SchemaOutput<Pa>
  readonly query: SchemaOutput<Q>
  readonly headers: SchemaOutput<H>
  /** Aborted when the run settles. */
  readonly signal: AbortSignal
} & (B extends z.ZodType ? { readonly body: z.output<B> } : {})

export type AnyParams = ParamsFor<string> | Schema
