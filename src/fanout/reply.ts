import type { ReplyHeaders } from './on-reply.ts'
import type { Outcome } from './outcome.ts'

/** The result of a run that does not fail. */
export interface Reply<D, K extends string> {
  readonly data: D
  /** Whether every step is `ok` or `skipped`. */
  readonly complete: boolean
  /** How each step ended, in the order of declaration. */
  readonly sources: Record<K, Outcome>
  /** The headers that onReply() returned, by lower-case name; undefined without any. */
  readonly headers?: ReplyHeaders
}
