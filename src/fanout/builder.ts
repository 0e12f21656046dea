import type { z } from 'zod'
import type { Call } from '../upstream/declare.ts'
import type { DeepReadonly } from '../core/freeze.ts'
import type { Replied } from './aggregate-type.ts'
import type { Item } from './chain.ts'
import type { FallbackCheck, WithoutFallback } from './fallback-types.ts'
import type {
  ArgsFor,
  Awaitable,
  EachStepName,
  EachValue,
  ItemValue,
  NewStepName,
  NoFallback,
  OptionalStepName,
  OrFallback,
  RequiredStepName,
  Shown,
  Skip,
  StepNames,
  StepValue,
} from './inference.ts'
import type { FirstAnswer, NextArgs, PagesStepName, PagesValue } from './page-types.ts'
import type { ReplyOptions } from './reply-status.ts'
import type { EachOptions, FirstOfOptions, OptionalOptions, PagesOptions, StepOptions } from './step-options.ts'

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
    options?: StepOptions<N> & WithoutFallback<'a required step cannot have a fallback: make it optional'>,
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
    options?: FallbackCheck<F> & OptionalOptions<N, F>,
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
    options?: FallbackCheck<F> & EachOptions<N, M, F>,
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
    options?: FirstOfOptions<N, C> &
      WithoutFallback<'a firstOf cannot have a fallback: ask the calls in an optional step'>,
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
    options: PagesOptions<N, FirstAnswer<R>, NextArgs<ArgsFor<I, V, N>>> &
      WithoutFallback<"pages cannot have a fallback: use { onLoss: 'keep' }">,
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
