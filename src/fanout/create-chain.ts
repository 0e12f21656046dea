import { Call } from '../upstream/call/call.ts'
import { Chain, type Link } from './chain.ts'
import type { Awaitable, ChainOf, StepValue } from './inference.ts'

/**
 * Makes a chain: a call, and functions that continue with its answer. It is one item of an `each`. Each item continues
 * as soon as its own answer has arrived, independently of the other items.
 *
 * @param first The call that is sent first.
 * @param second Gets the answer to the first call. It returns the next call, or a value.
 * @returns The chain. Its value is the value of its last function.
 * @throws `TypeError` for a first argument that is not a call, and for a further one that is not a function.
 * @example
 * ```ts
 * import { aggregate, chain, type Operation } from 'headwaters'
 * import { z } from 'zod'
 *
 * declare const find: Operation<{ readonly city: string }, { readonly lat: number; readonly lon: number }>
 * declare const forecast: Operation<{ readonly lat: number; readonly lon: number }, { readonly degrees: number }>
 *
 * const Cities = z.object({ cities: z.array(z.string()) })
 * const builder = aggregate('forecasts', { url: '/forecasts', method: 'POST', body: Cities })
 *   .each('forecasts', ({ body }) => body.cities.map(city => chain(find({ city }), spot => forecast(spot))))
 * ```
 */
export function chain<A, R>(first: Call<A>, second: (a: A) => Awaitable<R>): ChainOf<R>
/**
 * Makes a chain of a call and two functions.
 *
 * @param first The call that is sent first.
 * @param second Gets the answer to the first call. It returns the next call, or a value.
 * @param third Gets all values so far, in order. It returns the next call, or a value.
 * @returns The chain. Its value is the value of its last function.
 * @throws `TypeError` for a first argument that is not a call, and for a further one that is not a function.
 * @example
 * ```ts
 * import { chain, type Operation } from 'headwaters'
 *
 * declare const find: Operation<{ readonly city: string }, { readonly lat: number; readonly lon: number }>
 * declare const forecast: Operation<{ readonly lat: number; readonly lon: number }, { readonly degrees: number }>
 *
 * const item = chain(
 *   find({ city: 'Oslo' }),
 *   spot => forecast(spot),
 *   (spot, { degrees }) => ({ ...spot, degrees }),
 * )
 * ```
 */
export function chain<A, B, R>(
  first: Call<A>,
  second: (a: A) => Awaitable<B>,
  third: (a: A, b: StepValue<B>) => Awaitable<R>,
): ChainOf<R, B | R>
/**
 * Makes a chain of a call and three functions.
 *
 * @param first The call that is sent first.
 * @param second Gets the answer to the first call. It returns the next call, or a value.
 * @param third Gets all values so far, in order. It returns the next call, or a value.
 * @param fourth Gets all values so far, in order. It returns the next call, or a value.
 * @returns The chain. Its value is the value of its last function.
 * @throws `TypeError` for a first argument that is not a call, and for a further one that is not a function.
 * @example
 * ```ts
 * import { chain, type Operation } from 'headwaters'
 *
 * declare const user: Operation<{ readonly name: string }, { readonly id: string }>
 * declare const team: Operation<{ readonly member: string }, { readonly lead: string }>
 *
 * const item = chain(
 *   user({ name: 'ada' }),
 *   ada => team({ member: ada.id }),
 *   (_ada, { lead }) => user({ name: lead }),
 *   (ada, _team, lead) => ({ user: ada.id, lead: lead.id }),
 * )
 * ```
 */
export function chain<A, B, C, R>(
  first: Call<A>,
  second: (a: A) => Awaitable<B>,
  third: (a: A, b: StepValue<B>) => Awaitable<C>,
  fourth: (a: A, b: StepValue<B>, c: StepValue<C>) => Awaitable<R>,
): ChainOf<R, B | C | R>
/**
 * Makes a chain of a call and four functions.
 *
 * @param first The call that is sent first.
 * @param second Gets the answer to the first call. It returns the next call, or a value.
 * @param third Gets all values so far, in order. It returns the next call, or a value.
 * @param fourth Gets all values so far, in order. It returns the next call, or a value.
 * @param fifth Gets all values so far, in order. It returns the last call, or a value.
 * @returns The chain. Its value is the value of its last function.
 * @throws `TypeError` for a first argument that is not a call, and for a further one that is not a function.
 * @example
 * ```ts
 * import { chain, type Operation } from 'headwaters'
 *
 * declare const user: Operation<{ readonly name: string }, { readonly id: string }>
 * declare const team: Operation<{ readonly member: string }, { readonly lead: string }>
 *
 * const item = chain(
 *   user({ name: 'ada' }),
 *   ada => team({ member: ada.id }),
 *   (_ada, { lead }) => user({ name: lead }),
 *   (_ada, _team, lead) => team({ member: lead.id }),
 *   (ada, _team, lead, ofLead) => ({ user: ada.id, lead: lead.id, above: ofLead.lead }),
 * )
 * ```
 */
export function chain<A, B, C, D, R>(
  first: Call<A>,
  second: (a: A) => Awaitable<B>,
  third: (a: A, b: StepValue<B>) => Awaitable<C>,
  fourth: (a: A, b: StepValue<B>, c: StepValue<C>) => Awaitable<D>,
  fifth: (a: A, b: StepValue<B>, c: StepValue<C>, d: StepValue<D>) => Awaitable<R>,
): ChainOf<R, B | C | D | R>
export function chain(first: unknown, ...links: unknown[]): Chain<unknown> {
  if (!(first instanceof Call))
    throw new TypeError('chain needs a call as its first argument: chain(upstream.operation(input), answer => …)')
  if (links.length === 0)
    throw new TypeError(`chain needs a function after the call of ${first.operation}: return the call without chain`)
  const wrong = links.findIndex(link => typeof link !== 'function')
  if (wrong !== -1)
    throw new TypeError(
      `chain needs functions after the call of ${first.operation}, and argument ${wrong + 2} is not a function: ` +
        'write answer => upstream.operation(input)',
    )
  return new Chain(first, links as Link[])
}
