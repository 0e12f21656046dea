import type { z } from 'zod'
import type { Unasked } from '../upstream/call/call.ts'
import type { Call, Operation } from '../upstream/declare.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { Primitive } from '../core/primitive.ts'
import type { Chain } from './chain.ts'
import type { ParamsFor, Schema, Simplify, TypeErrorMessage } from '../upstream/spec/inference.ts'

export type { ParamsFor, ParamsIf, Schema, Simplify as Shown, TypeErrorMessage } from '../upstream/spec/inference.ts'

declare const skipped: unique symbol, unset: unique symbol

/** The type of `skip`. */
export interface Skip {
  /** For the type checker only. */
  readonly [skipped]: true
}

/** The type of the fallback of an optional step that declares none. */
export interface NoFallback {
  /** For the type checker only. */
  readonly [unset]: true
}

export type Awaitable<T> = T | Promise<T>
/** The value of a step whose function returns `R`. */
export type StepValue<R> =
  R extends Call<infer T> ? T : R extends Unasked<string, infer T> ? T : R extends Skip ? never : R
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
type Unfit = Skip | Chain<unknown> | readonly (Asked | Chain<unknown>)[]
/** The type of a value or its fallback: `T` alone if the fallback has that type too. */
export type OrFallback<T, F> = [F] extends [T] ? T : T | F
/** The value of an `each`: readonly if it may contain a fallback, which all runs share. */
export type EachValue<T, F> = [F] extends [never] ? T[] : DeepReadonly<OrFallback<T, F>[]>
/** The names of earlier steps. `V` has their values by name. */
export type StepNames<V> = readonly ((keyof V & string) | TypeErrorMessage<'write the names of earlier steps'>)[]

/** The answer to a call, or to one of several calls of different types. */
type AnswerOf<C> = [C] extends [never] ? unknown : C extends Call<infer T> ? T : never

/** The arguments of a step and of context() in addition to the input. */
export interface AskArgs {
  /** Sends a call through the layers of its upstream and waits for its answer. */
  readonly ask: <C extends Call<unknown>>(call: C) => Promise<AnswerOf<C>>
}

/** The arguments of a step's function: the input, `ask` and the values it needs. */
export type ArgsFor<I, V, N extends StepNames<V>> = ArgsOf<
  'to get the value of an earlier step, add its name to needs',
  Simplify<I & AskArgs & Pick<V, N[number] & keyof V>>
>

/** The type `T`. The compiler prints the sentence in the error for a property that `T` does not have. */
type ArgsOf<_Sentence extends string, T> = { [K in keyof T]: T[K] }

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
        ? [HeldCall<R>] extends [never]
          ? With
          : TypeErrorMessage<`context() returns an object with a call at '${HeldCall<R>}': use await ask(call)`>
        : TypeErrorMessage<'context() returns one value, or one call: await several with ask'>

/** The fields of an object that are calls, awaited or not, or chains. */
export type HeldCall<R> = R extends NotPlain
  ? never
  : {
      [K in keyof R & string]-?: 0 extends 1 & R[K]
        ? never
        : [Extract<R[K], Asked | Chain<unknown>>] extends [never]
          ? never
          : K
    }[keyof R & string]
/** A call, or the type of an awaited call. */
export type Asked = Call<unknown> | Unasked<string, unknown>
/** Types of values that are not plain objects. */
type NotPlain = Asked | Skip | readonly unknown[] | ((...given: never) => unknown) | Primitive

type Reserved = 'params' | 'query' | 'body' | 'headers' | 'context' | 'signal' | 'ask'

/** The name of a step, or the reason for which it is refused. */
export type NewStepName<K extends string, V> = K extends keyof V
  ? TypeErrorMessage<`a step '${K}' is already declared`>
  : K extends Reserved
    ? TypeErrorMessage<`'${K}' is part of the input: choose another step name`>
    : K
/** `NewStepName` for an `each` with a `minSuccess` of the type `M` and a `fallback` of the type `F`. */
export type EachStepName<K extends string, V, M, F> = [M, F] extends [never, never]
  ? NewStepName<K, V>
  : [F] extends [never]
    ? TypeErrorMessage<'minSuccess needs a fallback value: add { fallback: null }'>
    : [M] extends [never]
      ? TypeErrorMessage<'fallback of an each needs minSuccess: add { minSuccess: 0 }'>
      : NewStepName<K, V>
/** `NewStepName` for a step whose function returns `R`, which must be one call or one value. */
type SingleStepName<K extends string, V, R> = unknown extends R
  ? NewStepName<K, V>
  : [R] extends [void]
    ? TypeErrorMessage<`step '${K}' must return a call, a value or skip`>
    : [Extract<R, readonly (Asked | Chain<unknown>)[]>] extends [never]
      ? [Extract<R, Operation<never, unknown>>] extends [never]
        ? [Extract<R, Chain<unknown>>] extends [never]
          ? [HeldCall<R>] extends [never]
            ? NewStepName<K, V>
            : TypeErrorMessage<`step '${K}' returns an object with a call at '${HeldCall<R>}': use await ask(call)`>
          : TypeErrorMessage<`step '${K}' returns a chain: use each, and return a list`>
        : TypeErrorMessage<`step '${K}' returns an operation: call it to make a call`>
      : TypeErrorMessage<`step '${K}' returns several calls: use each or firstOf`>
/** `SingleStepName` for a step that has a fallback of the type `F`. */
export type OptionalStepName<K extends string, V, R, F> = 0 extends 1 & F
  ? SingleStepName<K, V, R>
  : [F, NoFallback] extends [NoFallback, F]
    ? TypeErrorMessage<`optional step '${K}' needs a fallback value: add { fallback: null }`>
    : SingleStepName<K, V, R>
/** `SingleStepName` for a step that cannot skip. */
export type RequiredStepName<K extends string, V, R> = unknown extends R
  ? NewStepName<K, V>
  : [Extract<R, Skip>] extends [never]
    ? SingleStepName<K, V, R>
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
