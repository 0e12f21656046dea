import type { Sources } from './outcome.ts'
import type { ReplyHeaders } from './reply-headers.ts'
import type { ReplyStatus } from './reply-status.ts'

/** The result of a run that does not fail. */
export interface Reply<D, K extends string> {
  /** The data that the merge returned, read by the schema of the reply. */
  readonly data: D
  /** True if every source is `ok` or `skipped`. */
  readonly complete: boolean
  /** The outcome of each step, in the order of declaration. The outcome of context() is first, if it made a call. */
  readonly sources: Sources<K>
  /** The status of the reply; undefined for 200. */
  readonly status?: ReplyStatus
  /** The headers that onReply() returned, by lower-case name; undefined if there are no headers. */
  readonly headers?: ReplyHeaders
}
