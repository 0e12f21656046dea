import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { Overflow } from '../core/bounds.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { Item } from './chain.ts'
import type { ReplyExtras } from './on-reply.ts'
import { addStep, checkReply, checkRoute } from './check.ts'
import { contextStep, type Hooks } from './hooks.ts'
import type {
  StepValue,
  AskArgs,
  Awaitable,
  NewStepName,
  NoFallback,
  Input,
  ItemValue,
  EachStepName,
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
import type { FirstAnswer, NextArgs, NextPage, PagesStepName, PagesValue } from './page-types.ts'
import { renamedBuilderMethods } from './renamed.ts'
import { readStatuses, type AnyReplyOptions, type ReplyOptions, type ReplyStatus } from './reply-status.ts'
import type { Route, RouteOptions } from './route.ts'
import { readSnapshot } from './snapshot-option.ts'
import type { Step, StepKind } from './step.ts'

export { chain } from './create-chain.ts'
export { offload } from './offload/offload.ts'
export { refuse } from './refuse.ts'
export type { Skip } from './inference.ts'

/** The value that an optional step or an `each` returns if it has no call to make. */
export const skip: Skip = Object.freeze({}) as Skip

/**
 * Makes a list of `count` calls, for an `each` or a `firstOf`.
 *
 * @param count The number of calls.
 * @param make Makes one call; its argument is 0 for the first one, then 1, 2 and so on.
 * @returns The calls, in order.
 * @example
 * ```ts
 * import { times, type Operation } from 'headwaters'
 *
 * declare const fact: Operation<{ readonly max_length?: number }, { readonly fact: string }>
 *
 * const calls = times(3, () => fact({ max_length: 140 }))
 * ```
 */
export function times<T>(count: number, make: (index: number) => T): T[] {
  const made: T[] = []
  for (let index = 0; index < count; index++) made.push(make(index))
  return made
}

/** The declaration of a route whose reply is built from many calls. It is an immutable value without state. */
export interface Aggregate<out I, out D, out K extends string> {
  /** The name, in lower case with hyphens. */
  readonly name: string
  /** The route, its schemas and its deadline. */
  readonly route: Route
  /** The steps, in the order of declaration. */
  readonly steps: readonly Step[]
  /** The indexes of the steps that need a step, by the index of that step. */
  readonly dependents: readonly (readonly number[])[]
  /** The schema of the reply's data. */
  readonly schema: z.ZodType
  /** The statuses that `reply` declares. The first one is the status of a reply unless onReply() returns another. */
  readonly statuses: readonly [ReplyStatus, ...ReplyStatus[]]
  /** The merge function: it returns the data of the reply from the values of the steps. */
  readonly merge: (args: never) => unknown
  /** The merge of snapshots: `false` for no snapshots, undefined for the merge of the reply. */
  readonly snapshot: false | ((args: never, pending: readonly string[]) => unknown) | undefined
  /** The functions of context() and onReply(). */
  readonly hooks: Hooks
  /** For the type checker only. */
  readonly input?: I
  /** For the type checker only. */
  readonly data?: D
  /** For the type checker only. */
  readonly names?: K
}

/** An aggregate of any input, data and steps, for lists of aggregates. */
export type AnyAggregate = Aggregate<unknown, unknown, string>

/** The arguments of onReply() in addition to the input and the context: the reply as it is sent. */
export interface OnReplyArgs<D, K extends string> {
  /** The data of the reply. */
  readonly data: D
  /** True if every source is `ok` or `skipped`. */
  readonly complete: boolean
  /** The outcome of each step. */
  readonly sources: Sources<K>
}

/** An aggregate to which onReply() may still be added. */
export interface Replied<out I, out D, K extends string> extends Aggregate<I, D, K> {
  /**
   * Adds a function that runs when there is a reply, before the reply is sent.
   *
   * @param fn Gets the input, the context, `data`, `complete` and `sources`. It may return a status and headers for the
   *   reply, or call `refuse`.
   * @returns The aggregate, to which nothing more can be added.
   * @throws `TypeError` for a value that is not a function, and for a second call.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   * import { z } from 'zod'
   *
   * declare const fact: Operation<{}, { readonly fact: string }>
   *
   * export const card = aggregate('card', { url: '/card' })
   *   .required('fact', () => fact())
   *   .reply(z.object({ text: z.string() }), ({ fact }) => ({ text: fact.fact }))
   *   .onReply(({ complete }) => ({ status: complete ? 200 : 203, headers: { 'x-complete': String(complete) } }))
   * ```
   */
  onReply(fn: (args: Shown<I & OnReplyArgs<D, K>>) => Awaitable<ReplyExtras | undefined | void>): Aggregate<I, D, K>
}

/** Options of a `required` step. All kinds of steps have them. */
export interface StepOptions<N> {
  /**
   * The names of earlier steps. This step starts when all of them have ended, and gets their values. The value of an
   * `optional` step that failed or was skipped is its `fallback`.
   * @default []
   */
  readonly needs?: N
  /** Limit on this step, in ms. @default the rest of the run's deadline */
  readonly timeout?: number
}

/** Options of an `optional` step. */
export interface OptionalOptions<N, F> extends StepOptions<N> {
  /** The value of the step when it fails or is skipped. */
  readonly fallback: F
}

/** Limits of an `each`. */
export interface EachBounds<N> extends StepOptions<N> {
  /**
   * The largest number of concurrent calls of this step. A chain counts as one call until it has ended.
   * @default no limit of the step: each call waits for a permit of its upstream only
   */
  readonly concurrency?: number
  /** The largest number of calls. `overflow` selects the handling of a longer list. @default 100 */
  readonly maxItems?: number
  /**
   * The handling of a list longer than `maxItems`. `error` fails the run, independently of `minSuccess`. `truncate`
   * sends the first `maxItems` calls; the step is `partial` and reports the number of `omitted` items.
   * @default 'error'
   */
  readonly overflow?: Overflow
}

/** Options of an `each` whose calls may fail. */
export interface EachTolerance<M, F> {
  /** The number of calls that must succeed; of a shorter list, all of them. Requires `fallback`. @default all calls */
  readonly minSuccess?: M
  /** The value of each call that failed. Requires `minSuccess`. */
  readonly fallback?: F
}

/** Options of an `each`: its limits, and both of `minSuccess` and `fallback` or neither. */
export type EachOptions<N, M, F> = EachBounds<N> & EachTolerance<M, F>

/** Options of a `firstOf`. */
export interface FirstOfOptions<N, C> extends StepOptions<N> {
  /**
   * The number of answers that are taken. Answers take precedence over a `null` that a status of `nullOn` caused.
   * @default 1
   */
  readonly count?: C
}

/** Options of `pages`. `T` is the answer of a call, and `A` has the arguments of the step. */
export interface PagesOptions<N, T, A> extends StepOptions<N> {
  /**
   * Returns the call of the page after the last one so far, or a list of calls for all pages that follow, or nothing
   * after the last page. `byLink`, `byCursor` and `byOffset` make this function.
   */
  readonly next: NextPage<T, A>
  /** The largest number of pages. `overflow` selects the handling of further pages. @default 100 */
  readonly maxPages?: number
  /**
   * The largest number of concurrent calls of this step, if `next` returns a list.
   * @default no limit of the step: each call waits for a permit of its upstream only
   */
  readonly concurrency?: number
  /**
   * The handling of pages above `maxPages`. `error` fails the run, independently of `onLoss`. `truncate` uses the first
   * `maxPages` pages; the step is `partial` and reports the number of `omitted` pages.
   * @default 'error'
   */
  readonly overflow?: Overflow
  /**
   * The handling of a page that fails. `fail` fails the run. `keep` uses the pages before it; the step is `partial`.
   * @default 'fail'
   */
  readonly onLoss?: 'fail' | 'keep'
}

/**
 * Adds steps to an aggregate. Each method returns a new builder, and `reply` returns the aggregate. Steps start
 * together, except for a step with `needs`, which starts when the steps that it names have values.
 *
 * @example
 * ```ts
 * import { aggregate, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const Id = z.object({ id: z.string() })
 * const shop = defineUpstream('shop', { origin: 'https://shop.example' }, {
 *   order: operation({ path: '/orders/{id}', params: Id, output: z.object({ items: z.array(z.string()) }) }),
 *   item: operation({ path: '/items/{id}', params: Id, output: z.object({ title: z.string() }) }),
 *   rating: operation({ path: '/ratings/{id}', params: Id, output: z.object({ stars: z.number() }) }),
 * })
 *
 * export const order = aggregate('order', { url: '/orders/{id}', params: Id })
 *   .required('order', ({ params }) => shop.order({ id: params.id }))
 *   .each('items', ({ order }) => order.items.map(id => shop.item({ id })), { needs: ['order'], concurrency: 8 })
 *   .optional('rating', ({ params }) => shop.rating({ id: params.id }), { fallback: null })
 *   .reply(z.object({ titles: z.array(z.string()), stars: z.number().nullable() }), ({ items, rating }) => ({
 *     titles: items.map(({ title }) => title),
 *     stars: rating?.stars ?? null,
 *   }))
 * ```
 */
export interface Builder<I, V> {
  /**
   * Adds a step whose failure fails the run.
   *
   * @param name The name of the step, which is also the name of its value.
   * @param fn Returns a call or a value. It gets the input and the values of the steps that `needs` names.
   * @param options The needs and the timeout of the step.
   * @returns A builder with this step.
   * @throws `TypeError` for a name that is taken or reserved, and for a wrong option.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   * import { z } from 'zod'
   *
   * declare const price: Operation<{ readonly id: string }, { readonly cents: number }>
   *
   * const builder = aggregate('price', { url: '/price/{id}', params: z.object({ id: z.string() }) })
   *   .required('price', ({ params }) => price({ id: params.id }), { timeout: 300 })
   * ```
   */
  required<const K extends string, R, const N extends StepNames<V> = []>(
    name: RequiredStepName<K, V, R>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: StepOptions<N>,
  ): Builder<I, V & Record<K, StepValue<R>>>
  /**
   * Adds a step that has a fallback for its failure. Its value and all values in it are frozen.
   *
   * @param name The name of the step, which is also the name of its value.
   * @param fn Returns a call or a value, or `skip` to use the fallback without a call.
   * @param options The fallback, the needs and the timeout of the step.
   * @returns A builder with this step.
   * @throws `TypeError` for a name that is taken or reserved, and for a wrong option.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   * import { z } from 'zod'
   *
   * declare const price: Operation<{ readonly id: string }, { readonly cents: number }>
   *
   * const builder = aggregate('price', { url: '/price/{id}', params: z.object({ id: z.string() }) })
   *   .optional('price', ({ params }) => price({ id: params.id }), { fallback: null })
   * ```
   */
  optional<const K extends string, R, F = NoFallback, const N extends StepNames<V> = []>(
    name: OptionalStepName<K, V, R, F>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: OptionalOptions<N, F>,
  ): Builder<I, V & Record<K, DeepReadonly<OrFallback<StepValue<R>, F>>>>
  /**
   * Adds a step that makes a list of calls. Its value is the list of their answers, in the order of the calls. An item
   * of the list may be a `chain` of calls.
   *
   * @param name The name of the step, which is also the name of its value.
   * @param fn Returns the calls and chains, or `skip` for an empty list.
   * @param options The limits of the step, and how many of its calls may fail.
   * @returns A builder with this step.
   * @throws `TypeError` for a name that is taken or reserved, and for a wrong option.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   * import { z } from 'zod'
   *
   * declare const price: Operation<{ readonly id: string }, { readonly cents: number }>
   *
   * const Basket = z.object({ ids: z.array(z.string()) })
   * const builder = aggregate('basket', { url: '/basket', method: 'POST', body: Basket })
   *   .each('prices', ({ body }) => body.ids.map(id => price({ id })), { minSuccess: 1, fallback: null })
   * ```
   */
  each<
    const K extends string,
    R extends readonly Item[] | Skip,
    M extends number = never,
    F = never,
    const N extends StepNames<V> = [],
  >(
    name: EachStepName<K, V, M, F>,
    fn: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options?: EachOptions<N, M, F>,
  ): Builder<I, V & Record<K, EachValue<ItemValue<R>, F>>>
  /**
   * Adds a step that makes equivalent calls, takes the first good answers and cancels the other calls. A `null` that a
   * status of `nullOn` caused is used only if every call has ended and no call has failed.
   *
   * @param name The name of the step, which is also the name of its value.
   * @param fn Returns the calls.
   * @param options The number of answers, the needs and the timeout of the step.
   * @returns A builder with this step.
   * @throws `TypeError` for a name that is taken or reserved, and for a wrong option.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   *
   * declare const north: Operation<{}, { readonly degrees: number }>
   * declare const south: Operation<{}, { readonly degrees: number }>
   *
   * const builder = aggregate('weather', { url: '/weather' })
   *   .firstOf('weather', () => [north(), south()], { timeout: 500 })
   * ```
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
  /**
   * Adds a step that reads a list page by page. Its value is the list of the pages, in order. A page that is `null`,
   * for example because of `nullOn`, ends the list and is not part of it.
   *
   * @param name The name of the step, which is also the name of its value.
   * @param first Returns the call of the first page, or `skip` for an empty list.
   * @param options The function that returns the calls of the further pages, and the limits of the step.
   * @returns A builder with this step.
   * @throws `TypeError` for a name that is taken or reserved, and for a wrong option.
   * @example
   * ```ts
   * import { aggregate, byCursor, type Operation } from 'headwaters'
   *
   * interface Orders {
   *   readonly ids: readonly string[]
   *   readonly after: string | null
   * }
   * declare const orders: Operation<{ readonly after?: string }, Orders>
   *
   * const builder = aggregate('orders', { url: '/orders' })
   *   .pages('orders', () => orders(), { next: byCursor(page => page.after, after => orders({ after })) })
   * ```
   */
  pages<const K extends string, R, const N extends StepNames<V> = []>(
    name: PagesStepName<K, V, R>,
    first: (args: ArgsFor<I, V, N>) => Awaitable<R>,
    options: PagesOptions<N, FirstAnswer<R>, NextArgs<ArgsFor<I, V, N>>>,
  ): Builder<I, V & Record<K, PagesValue<R>>>
  /**
   * Ends the declaration with the reply.
   *
   * @param schema The schema of the reply's data. Each reply is checked with it once.
   * @param merge Returns the data. It gets the input and the values of all steps.
   * @param options The status of the reply.
   * @returns The aggregate.
   * @throws `TypeError` for a schema that is not a zod 4 schema, and for a status that a reply cannot have.
   * @example
   * ```ts
   * import { aggregate, type Operation } from 'headwaters'
   * import { z } from 'zod'
   *
   * declare const fact: Operation<{}, { readonly fact: string }>
   *
   * export const card = aggregate('card', { url: '/card' })
   *   .required('fact', () => fact())
   *   .reply(z.object({ text: z.string() }), ({ fact }) => ({ text: fact.fact }))
   * ```
   */
  reply<S extends z.ZodType>(
    schema: S,
    merge: (args: Shown<I & V>) => Awaitable<DeepReadonly<z.input<S>>>,
    options?: ReplyOptions<z.output<S>, Shown<I & V>, z.input<S>>,
  ): Replied<I, z.output<S>, keyof V & string>
}

/** A builder without steps. */
export interface InitialBuilder<I> extends Builder<I, {}> {
  /**
   * Adds a function that runs before any step starts. Its value is the `context` of the steps, the merge and onReply().
   *
   * @param fn Returns the context, or one call whose answer is the context. It may call `refuse`.
   * @returns A builder with this context.
   * @throws `TypeError` for a second call, and for a call after the first step.
   * @example
   * ```ts
   * import { aggregate } from 'headwaters'
   * import { z } from 'zod'
   *
   * export const hello = aggregate('hello', { url: '/hello' })
   *   .context(() => ({ startedAt: Date.now() }))
   *   .reply(z.object({ startedAt: z.number() }), ({ context }) => ({ startedAt: context.startedAt }))
   * ```
   */
  context<R>(
    fn: (args: Shown<I & AskArgs>) => Awaitable<R>,
  ): ContextResult<R, Builder<I, {}>, Builder<Shown<I & { readonly context: StepValue<R> }>, {}>>
}

/**
 * Declares an aggregate: a route whose reply is built from many calls. The declaration sends nothing. `fanOut`, the
 * plugin and `headwaters serve` run it.
 *
 * @param name The name, in lower case with hyphens.
 * @param options The route, the schemas of the input and the deadline.
 * @returns A builder, to which steps are added.
 * @throws `TypeError` for an option that the types cannot check, such as a deadline of 0. The message names the
 *   aggregate, the option and the fix.
 * @example
 * ```ts
 * import { aggregate, defineUpstream, operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * const cats = defineUpstream('cats', { origin: 'https://cats.example' }, {
 *   fact: operation({ path: '/fact', output: z.object({ fact: z.string() }) }),
 * })
 *
 * const Query = z.object({ loud: z.stringbool().optional() })
 *
 * export const fact = aggregate('fact', { url: '/fact', query: Query, deadline: 500 })
 *   .required('fact', () => cats.fact())
 *   .reply(z.object({ text: z.string() }), ({ query, fact }) => ({
 *     text: query.loud ? fact.fact.toUpperCase() : fact.fact,
 *   }))
 * ```
 */
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
  } & ParamsIf<'url', NoInfer<P>, NoInfer<Pa>>,
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
    pages: add('pages'),
    reply: (schema: z.ZodType, merge: (args: never) => unknown, options: AnyReplyOptions = {}): AnyAggregate => {
      checkReply(`aggregate '${name}'`, schema, merge)
      return replied({
        name,
        route,
        steps: Object.freeze(steps),
        schema,
        statuses: readStatuses(`aggregate '${name}'`, schema, route.cacheControl, options),
        merge,
        snapshot: readSnapshot(`aggregate '${name}'`, options.snapshot),
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
