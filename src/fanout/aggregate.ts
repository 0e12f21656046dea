import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import { checkZod } from '../core/schema/wrapped.ts'
import type { ReplyExtras } from './on-reply.ts'
import { addStep, checkRoute } from './check.ts'
import { contextStep, type Hooks } from './hooks.ts'
import type {
  Answered,
  ContextArgs,
  Awaitable,
  Fresh,
  Input,
  Item,
  Listed,
  Names,
  Or,
  ParamsFor,
  ParamsIf,
  Schema,
  StepArgs,
  Shown,
  Single,
  Skip,
  Sure,
  Within,
} from './inference.ts'
import type { Outcome } from './outcome-recorder.ts'
import type { Route, RouteOptions } from './route.ts'
import type { Step, StepKind } from './step.ts'

export { refuse } from '../errors.ts'
export { offload } from './offload/offload.ts'
export type { Skip } from './inference.ts'

/** What an optional step or an `each` returns when there is nothing to ask. */
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
  /** The steps that need a step, by its place. */
  readonly dependents: readonly (readonly number[])[]
  readonly schema: z.ZodType
  readonly merge: (seen: never) => unknown
  readonly hooks: Hooks
  /** For the type checker only. */
  readonly input?: I
  /** For the type checker only. */
  readonly data?: D
  /** For the type checker only. */
  readonly names?: K
}

export type AnyAggregate = Aggregate<unknown, unknown, string>

/** What `after` sees beside the input and the context: the reply as it goes out. */
export interface OnReplyArgs<D, K extends string> {
  readonly data: D
  /** Whether every step is `ok` or `skipped`. */
  readonly complete: boolean
  readonly sources: Record<K, Outcome>
}

/** An aggregate to which one thing may still be added. */
export interface Replied<out I, out D, K extends string> extends Aggregate<I, D, K> {
  /**
   * What happens when there is a reply, before it goes out: it may give headers, or refuse. It does not run when there
   * is none.
   */
  onReply(hook: (seen: Shown<I & OnReplyArgs<D, K>>) => Awaitable<ReplyExtras | undefined | void>): Aggregate<I, D, K>
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

interface EachBounds<N> extends StepOptions<N> {
  /** Calls under way at once. @default 16 */
  readonly concurrency?: number
  /** Calls at most; one more is an error. @default 100 */
  readonly maxItems?: number
}

interface EachTolerance<F> {
  /** Calls that must be answered; comes with `fallback`. @default all of them */
  readonly minSuccess: number
  /** The value of each call that failed; comes with `minSuccess`. */
  readonly fallback: F
}

export type EachOptions<N, F> = EachBounds<N> & (EachTolerance<F> | { readonly [K in keyof EachTolerance<F>]?: never })

export interface FirstOfOptions<N, C> extends StepOptions<N> {
  /** How many good answers are taken; an answer beats an absence (a `null` by a status of `absent`). @default 1 */
  readonly count?: C
}

/** Adds one step after the other; each returns a new builder, and `reply` ends it. */
export interface Builder<I, V> {
  /** A step whose failure fails the run. */
  required<const K extends string, R, const N extends Names<V> = []>(
    name: Sure<K, V, R>,
    step: (seen: StepArgs<I, V, N>) => Awaitable<R>,
    options?: StepOptions<N>,
  ): Builder<I, V & Record<K, Answered<R>>>
  /** A step whose failure becomes its fallback. Its value is frozen all the way down in every case. */
  optional<const K extends string, F, R, const N extends Names<V> = []>(
    name: Single<K, V, R>,
    step: (seen: StepArgs<I, V, N>) => Awaitable<R>,
    options: OptionalOptions<N, F>,
  ): Builder<I, V & Record<K, DeepReadonly<Or<Answered<R>, F>>>>
  /** A list of calls, and the list of their answers in the same order. */
  each<const K extends string, R extends readonly Call<unknown>[] | Skip, F = never, const N extends Names<V> = []>(
    name: Fresh<K, V>,
    step: (seen: StepArgs<I, V, N>) => Awaitable<R>,
    options?: EachOptions<N, F>,
  ): Builder<I, V & Record<K, Listed<Item<R>, F>>>
  /**
   * Calls that stand for each other: the first good answers are taken, the other calls are stopped.
   * Absences (`null` by a status of `absent`) are taken only when no call can answer any more and none has failed.
   */
  firstOf<
    const K extends string,
    R extends readonly Call<unknown>[],
    const C extends number = 1,
    const N extends Names<V> = [],
  >(
    name: Fresh<K, V>,
    step: (seen: StepArgs<I, V, N>) => Awaitable<R>,
    options?: FirstOfOptions<N, C>,
  ): Builder<I, V & Record<K, C extends 1 ? Item<R> : Item<R>[]>>
  /** The body: what `merge` makes of the steps' values, held against `schema`. */
  reply<S extends z.ZodType>(
    schema: S,
    merge: (seen: Shown<I & V>) => Awaitable<DeepReadonly<z.input<S>>>,
  ): Replied<I, z.output<S>, keyof V & string>
}

/** A builder without steps. */
export interface Opening<I> extends Builder<I, {}> {
  /**
   * What happens before any step starts: it may refuse, and what it brings is the `context` that everything after it
   * sees.
   */
  context<R>(
    hook: (seen: Shown<I & ContextArgs>) => Awaitable<R>,
  ): Within<R, Builder<I, {}>, Builder<Shown<I & { readonly context: Answered<R> }>, {}>>
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
): Opening<Input<Pa, Q, B, H>> {
  return builder(name, checkRoute(name, options), undefined, []) as Opening<Input<Pa, Q, B, H>>
}

function builder(name: string, route: Route, context: Step | undefined, steps: readonly Step[]): object {
  const extended = (step: Step) => builder(name, route, context, [...steps, step])
  const add =
    (kind: StepKind) =>
    (key: string, author: Step['author'], options = {}) =>
      extended(addStep(name, steps, kind, key, author, options))
  return {
    context: (hook: Step['author']) => {
      if (context === undefined && steps.length === 0) return builder(name, route, contextStep(name, hook), steps)
      throw new TypeError(`aggregate '${name}': context() may be called only once, and only before the first step`)
    },
    required: add('required'),
    optional: add('optional'),
    each: add('each'),
    firstOf: add('firstOf'),
    reply: (schema: z.ZodType, merge: (seen: never) => unknown): AnyAggregate => {
      checkZod(`aggregate '${name}'`, { reply: schema })
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
  const onReply = (hook: Hooks['onReply']) => {
    if (typeof hook !== 'function') throw new TypeError(`aggregate '${name}': onReply() needs a function`)
    if (hooks.onReply !== undefined) throw new TypeError(`aggregate '${name}': onReply() may be called only once`)
    return replied({ ...aggregate, hooks: Object.freeze({ ...hooks, onReply: hook }) })
  }
  return Object.freeze({ ...aggregate, onReply })
}
