import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import { addStep, checkRoute } from './check.ts'
import type { Answered, Awaitable, Fresh, Input, Item, Names, Or, ParamsFor, ParamsIf, Schema, Seen, Shown, Single, Skip, Sure } from './inference.ts'
import type { Route, RouteOptions } from './route.ts'
import type { Step } from './step.ts'

export { refuse } from '../errors.ts'
export type { Skip } from './inference.ts'

/** What an optional step or an `each` returns when there is nothing to ask. */
export const skip: Skip = Object.freeze({}) as Skip

/** Makes `count` calls, or whatever `make` makes of 0, 1, 2 … */
export function times<T> (count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
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
  /** For the type checker only. */
  readonly input?: I
  /** For the type checker only. */
  readonly data?: D
  /** For the type checker only. */
  readonly names?: K
}

export type AnyAggregate = Aggregate<unknown, unknown, string>

export interface StepOptions<N> {
  /** Earlier steps whose values this one is given; it starts when it has them. @default [] */
  readonly needs?: N
  /** Limit on this step, in ms. @default what remains of the run's deadline */
  readonly timeout?: number
}

export interface EachOptions<N, F> extends StepOptions<N> {
  /** Calls under way at once. @default 16 */
  readonly width?: number
  /** Calls at most; one more is an error. @default 100 */
  readonly maxItems?: number
  /** How many must be answered, and what stands for the others. @default all must be */
  readonly tolerate?: { readonly atLeast: number, readonly fallback: F }
}

export interface FirstOfOptions<N, C> extends StepOptions<N> {
  /** How many good answers are taken. @default 1 */
  readonly count?: C
}

/** Adds one step after the other; each returns a new builder, and `reply` ends it. */
export interface Builder<I, V> {
  /** A step whose failure fails the run. */
  required<const K extends string, R, const N extends Names<V> = []> (name: Sure<K, V, R>,
    step: (seen: Seen<I, V, N>) => Awaitable<R>, options?: StepOptions<N>): Builder<I, V & Record<K, Answered<R>>>
  /** A step whose failure becomes its fallback, which is frozen. */
  optional<const K extends string, F, R, const N extends Names<V> = []> (name: Single<K, V, R>, fallback: F,
    step: (seen: Seen<I, V, N>) => Awaitable<R>, options?: StepOptions<N>): Builder<I, V & Record<K, Or<Answered<R>, F>>>
  /** A list of calls, and the list of their answers in the same order. */
  each<const K extends string, R extends readonly Call<unknown>[] | Skip, F = never, const N extends Names<V> = []> (name: Fresh<K, V>,
    step: (seen: Seen<I, V, N>) => Awaitable<R>, options?: EachOptions<N, F>): Builder<I, V & Record<K, Or<Item<R>, F>[]>>
  /** Calls that stand for each other: the first good answers are taken, the other calls are stopped. */
  firstOf<const K extends string, R extends readonly Call<unknown>[], const C extends number = 1, const N extends Names<V> = []> (name: Fresh<K, V>,
    step: (seen: Seen<I, V, N>) => Awaitable<R>, options?: FirstOfOptions<N, C>): Builder<I, V & Record<K, C extends 1 ? Item<R> : Item<R>[]>>
  /** The body: what `merge` makes of the steps' values, held against `schema`. */
  reply<S extends z.ZodType> (schema: S, merge: (seen: Shown<I & V>) => Awaitable<z.input<S>>): Aggregate<I, z.output<S>, keyof V & string>
}

/** Declares an aggregate. Throws a `TypeError` for what its types cannot see: a deadline of 0, a name that is none. */
export function aggregate<
  const P extends string, Pa extends ParamsFor<NoInfer<P>> | undefined = undefined,
  Q extends Schema = undefined, B extends Schema = undefined, H extends Schema = undefined,
> (name: string, options: RouteOptions<P> & { readonly params?: Pa, readonly query?: Q, readonly body?: B, readonly headers?: H } & ParamsIf<NoInfer<P>>):
  Builder<Input<Pa, Q, B, H>, {}> {
  return builder(name, checkRoute(name, options), []) as Builder<Input<Pa, Q, B, H>, {}>
}

function builder (name: string, route: Route, steps: readonly Step[]): object {
  const after = (step: Step) => builder(name, route, [...steps, step])
  const add = addStep.bind(undefined, name, steps)
  return {
    required: (key: string, ask: Step['ask'], options = {}) => after(add('required', key, ask, options)),
    optional: (key: string, fallback: unknown, ask: Step['ask'], options = {}) => after(add('optional', key, ask, options, fallback)),
    each: (key: string, ask: Step['ask'], options = {}) => after(add('each', key, ask, options)),
    firstOf: (key: string, ask: Step['ask'], options = {}) => after(add('firstOf', key, ask, options)),
    reply: (schema: z.ZodType, merge: (seen: never) => unknown): AnyAggregate => Object.freeze({
      name, route, steps: Object.freeze(steps), schema, merge,
      dependents: steps.map(({ index }) => steps.filter(({ needs }) => needs.includes(index)).map(step => step.index)),
    }),
  }
}
