import type { ReplyHeaders } from './on-reply.ts'
import type { Outcome } from './outcome-recorder.ts'

/** What a run comes to when it does not fail. */
export interface Reply<D, K extends string> {
  readonly data: D
  /** Whether every step is `ok` or `skipped`. */
  readonly complete: boolean
  /** How each step ended, in the order of declaration. */
  readonly sources: Record<K, Outcome>
  /** What `after` gave to go out with it, by lower-case name; none where it gave nothing. */
  readonly headers?: ReplyHeaders
}
