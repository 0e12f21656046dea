import type { z } from 'zod'
import type { Hooks } from './hooks.ts'
import type { Awaitable, Shown } from './inference.ts'
import type { ReplyExtras } from './on-reply.ts'
import type { Sources } from './outcome.ts'
import type { ReplyStatus } from './reply-status.ts'
import type { Route } from './route.ts'
import type { Step } from './step.ts'

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
