import type { DeepReadonly } from '../core/freeze.ts'
import type { Unasked } from '../upstream/call/call.ts'
import type { Call } from '../upstream/declare.ts'
import type { Asked, Awaitable, NewStepName, Shown as Simplify, Skip, TypeErrorMessage } from './inference.ts'

/**
 * The answer of the call that the function of `pages` returns. The compiler checks `next` a first time while `R` is
 * still unknown; any answer must fit then.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse a `next` whose page has a type
export type FirstAnswer<R> = unknown extends R ? any : R extends Call<infer T> | Unasked<string, infer T> ? T : never

/** The value of `pages` whose function returns `R`. */
export type PagesValue<R> = unknown extends R ? unknown[] : Exclude<FirstAnswer<R>, null>[]

/** A page as `next` receives it. An answer of `null` ends the pages, so no page is `null`. */
export type Page<T> = DeepReadonly<Exclude<T, null>>

/** A list of calls, for example an array. A list that makes its calls on demand may be long. */
export interface CallList<out C> {
  /** The number of calls. */
  readonly length: number
  /**
   * Returns a call.
   *
   * @param index The index of the call, from 0.
   * @returns The call.
   * @throws `UpstreamError` `CALL_INPUT_INVALID` if the operation refuses the input.
   */
  at(index: number): C | undefined
}

/**
 * Returns the call of the page after `page`, a list of calls for all pages that follow, or nothing after the last page.
 *
 * @param page The last page so far.
 * @param index The index of `page`, from 0.
 * @param args The arguments of the step: the input, and the values that it needs.
 * @param pages All pages so far, in order, in a frozen list.
 */
export type NextPage<T, A> = (
  page: Page<T>,
  index: number,
  args: A,
  pages: readonly Page<T>[],
) => Awaitable<Call<T> | Unasked<string, T> | CallList<Call<T>> | null | undefined | void>

/** The arguments of `next`: those of the function of the step, which alone may ask. */
export type NextArgs<A> = Simplify<Omit<A, 'ask'>>

/** `NewStepName` for `pages` whose function returns `R`. */
export type PagesStepName<K extends string, V, R> = unknown extends R
  ? NewStepName<K, V>
  : [Exclude<R, Asked | Skip>] extends [never]
    ? NewStepName<K, V>
    : TypeErrorMessage<`pages '${K}' must return the call of its first page: return further calls from next`>
