import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { Overflow } from '../core/bounds.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { ReplyExtras } from './on-reply.ts'
import { addStep, checkReply, checkRoute } from './check.ts'
import { contextStep, type Hooks } from './hooks.ts'
import type {
  StepValue,
  ContextArgs,
  Awaitable,
  NewStepName,
  Input,
  ItemValue,
  EachValue,
  StepNames,
  OrFallback,
  ParamsFor,
  ParamsIf,
  Schema,
  ArgsFor,
  Shown,
  OptionalStepName,
  Skip,
  RequiredStepName,
  ContextResult,
} from './inference.ts'
import type { Sources } from './outcome.ts'
import { renamedBuilderMethods } from './renamed.ts'
import type { Route, RouteOptions } from './route.ts'
import type { Step, StepKind } from './step.ts'

export { refuse } from '../errors.ts'
export { offload } from './offload/offload.ts'
export type { Skip } from './inference.ts'

/** Returned by an optional step or an `each` that has no call to make. */
export const skip: Skip = Object.freeze({}) as Skip

/** Makes `count` calls, or whatever `make` makes of 0, 1, 2 … */
export function times<T>(count: number, make: (index: number) => T): T[] {
  const made: T[] = []
  for (let index = 0; index < count; index++) made.push(make(index))
  return made
}

/** Many calls that become one answer: a value, with no state, that can be listed, served and run. */
export interface Aggregate<out I, out D, out K extends string> {
  readonly name: string
  readonly route: Route
  readonly steps: readonly Step[]
  /** The indexes of the steps that need a step, by the index of that step. */
  readonly dependents: readonly (readonly number[])[]
  readonly schema: z.ZodType
  readonly merge: (args: never) => unknown
  readonly hooks: Hooks
  /** For the type checker only. */
  readonly input?: I
  /** For the type checker only. */
  readonly data?: D
  /** For the type checker only. */
  readonly names?: K
}

export type AnyAggregate = Aggregate<unknown, unknown, string>

/** The arguments of onReply() beside the input and the context: the reply as it is sent. */
export interface OnReplyArgs<D, K extends string> {
  readonly data: D
  /** True if every source is `ok` or `skipped`. */
  readonly complete: boolean
  readonly sources: Sources<K>
}

/** An aggregate to which onReply() may still be added. */
export interface Replied<out I, out D, K extends string> extends Aggregate<I, D, K> {
  /** Adds a function that runs when there is a reply, before it is sent. It may return headers, or refuse. */
  onReply(fn: (args: Shown<I & OnReplyArgs<D, K>>) => Awaitable<ReplyExtras | undefined | void>): Aggregate<I, D, K>
}

export interface StepOptions<N> {
  /** Earlier steps whose values this one is given; it starts when it has them. @default [] */
  readonly needs?: N
  /** Limit on this step, in ms. @default what remains of the run's deadline */
  readonly timeout?: number
}

export interface OptionalOptions<N, F> extends StepOptions<N> {
  /** The value of the step when it fails or is skipped. */
  readonly fallback: F
}

export interface EachBounds<N> extends StepOptions<N> {
  /** Calls under way at once. @default 16 */
  readonly concurrency?: number
  /** Calls at most; `overflow` says what happens to a longer list. @default 100 */
  readonly maxItems?: number
  /**
   * What happens to a list above `maxItems`: `error` fails the run, whatever `minSuccess` is; `truncate` asks the first
   * `maxItems` calls, and the step is `partial` and reports how many are `omitted`.
   *
   * @default 'error'
   */
  readonly overflow?: Overflow
}

export interface EachTolerance<F> {
  /** Calls that must be answered, of those that are asked; comes with `fallback`. @default all of them */
  readonly minSuccess: number
  /** The value of each call that failed; comes with `minSuccess`. */
  readonly fallback: F
}

export type EachOptions<N, F> = EachBounds<N> & (EachTolerance<F> | { readonly [K in keyof EachTolerance<F>]?: never })

export interface FirstOfOptions<N, C> extends StepOptions<N> {
  /**
   * The number of answers that are taken. An answer takes precedence over an absence (a `null` by a status of
   * `nullOn`).
   * @default 1
   */
  readonly count?: C
}

/** Adds one step after the other; each returns a new builder, and `reply` ends it. */
export interface Builder<I, V> {
  /** A step whose failure fails the run. */
  required<const K extends string, R, const N extends StepNames<V> = []>(
    name: RequiredStepName<K, V, R>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: StepOptions<N>,
  ): Builder<I, V & Record<K, StepValue<R>>>
  /** A step whose failure becomes its fallback. Its value is frozen all the way down in every case. */
  optional<const K extends string, F, R, const N extends StepNames<V> = []>(
    name: OptionalStepName<K, V, R>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options: OptionalOptions<N, F>,
  ): Builder<I, V & Record<K, DeepReadonly<OrFallback<StepValue<R>, F>>>>
  /** A list of calls, and the list of their answers in the same order. */
  each<const K extends string, R extends readonly Call<unknown>[] | Skip, F = never, const N extends StepNames<V> = []>(
    name: NewStepName<K, V>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: EachOptions<N, F>,
  ): Builder<I, V & Record<K, EachValue<ItemValue<R>, F>>>
  /**
   * Calls that stand for each other: the first good answers are taken, the other calls are stopped.
   * Absences (`null` by a status of `nullOn`) are taken only when no call can answer any more and none has failed.
   */
  firstOf<
    const K extends string,
    R extends readonly Call<unknown>[],
    const C extends number = 1,
    const N extends StepNames<V> = [],
  >(
    name: NewStepName<K, V>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: FirstOfOptions<N, C>,
  ): Builder<I, V & Record<K, C extends 1 ? ItemValue<R> : ItemValue<R>[]>>
  /** The body: what `merge` makes of the steps' values, held against `schema`. */
  reply<S extends z.ZodType>(
    schema: S,
    merge: (args: Shown<I & V>) => Awaitable<DeepReadonly<z.input<S>>>,
  ): Replied<I, z.output<S>, keyof V & string>
}

/** A builder without steps. */
export interface InitialBuilder<I> extends Builder<I, {}> {
  /**
   * Adds a function that runs before any step starts. It may refuse. Its value is the `context` of the steps, the merge
   * and onReply().
   */
  context<R>(
    fn: (args: Shown<I & ContextArgs>) => Awaitable<R>,
  ): ContextResult<R, Builder<I, {}>, Builder<Shown<I & { readonly context: StepValue<R> }>, {}>>
}

/** Declares an aggregate. Throws a `TypeError` for what its types cannot see: a deadline of 0, a name that is none. */
export function aggregate<
  const P extends string,
  Pa extends ParamsFor<NoInfer<P>> | undefined = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  H extends Schema = undefined,
>(
  name: string,
  options: RouteOptions<P> & {
    readonly params?: Pa
    readonly query?: Q
    readonly body?: B
    readonly headers?: H
  } & ParamsIf<NoInfer<P>>,
): InitialBuilder<Input<Pa, Q, B, H>> {
  return builder(name, checkRoute(name, options), undefined, []) as InitialBuilder<Input<Pa, Q, B, H>>
}

function builder(name: string, route: Route, context: Step | undefined, steps: readonly Step[]): object {
  const extended = (step: Step) => builder(name, route, context, [...steps, step])
  const add =
    (kind: StepKind) =>
    (key: string, handler: Step['handler'], options = {}) =>
      extended(addStep(name, context !== undefined, steps, kind, key, handler, options))
  return {
    ...renamedBuilderMethods(name),
    context: (fn: Step['handler']) => {
      if (context === undefined && steps.length === 0) return builder(name, route, contextStep(name, fn), steps)
      throw new TypeError(`aggregate '${name}': context() may be called only once, and only before the first step`)
    },
    required: add('required'),
    optional: add('optional'),
    each: add('each'),
    firstOf: add('firstOf'),
    reply: (schema: z.ZodType, merge: (args: never) => unknown): AnyAggregate => {
      checkReply(`aggregate '${name}'`, schema, merge)
      return replied({
        name,
        route,
        steps: Object.freeze(steps),
        schema,
        merge,
        dependents: steps.map(({ index }) =>
          steps.filter(({ needs }) => needs.includes(index)).map(step => step.index),
        ),
        hooks: { context, onReply: undefined },
      })
    },
  }
}

function replied(aggregate: AnyAggregate): AnyAggregate {
  const { name, hooks } = aggregate
  const onReply = (fn: Hooks['onReply']) => {
    if (typeof fn !== 'function') throw new TypeError(`aggregate '${name}': onReply() needs a function`)
    if (hooks.onReply !== undefined) throw new TypeError(`aggregate '${name}': onReply() may be called only once`)
    return replied({ ...aggregate, hooks: Object.freeze({ ...hooks, onReply: fn }) })
  }
  return Object.freeze({ ...aggregate, after: renamedBuilderMethods(name).after, onReply })
}
