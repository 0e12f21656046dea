import type { ReplyHeaders } from './on-reply.ts'
import type { Outcome } from './outcome.ts'

/** The result of a run that does not fail. */
export interface Reply<D, K extends string> {
  readonly data: D
  /** True if every step is `ok` or `skipped`. */
  readonly complete: boolean
  /** The outcome of each step, in the order of declaration. */
  readonly sources: Record<K, Outcome>
  /** The headers that onReply() returned, by lower-case name; undefined without any. */
  readonly headers?: ReplyHeaders
}
