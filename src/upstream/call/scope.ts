import type { Abort } from '../../core/abort.ts'
import type { TraceContext } from '../../trace/trace-context.ts'
import type { CallEvent } from './events.ts'
import type { CallFlow } from './flow.ts'
import type { HeaderReads } from './inbound.ts'
import type { CallSpans } from './spans.ts'

/** The part of a run that its calls use. */
export interface Scope {
  /** The time at which the run ends, in ms from its start. */
  readonly deadline: number
  /**
   * The latest time at which a caller needs the answer, in ms from the start of the run. Set if the deadline does not
   * tell it.
   */
  readonly patience?: number
  /** The inbound headers, by lower-case name. An upstream's `forwardHeaders` selects from them. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * Records the headers that a layer reads. `undefined` if the reply cannot be cached, or if several callers share the
   * call.
   */
  readonly reads?: HeaderReads | undefined
  /** The result of the aggregate's `context`; `undefined` if several callers share the call. */
  readonly context?: unknown
  /** Aborted when the run has ended, for any reason. */
  readonly abort: Abort
  /** The flow of the calls: the part of the permits of an upstream that they share. */
  readonly flow: CallFlow
  /** The admission of this run per bulkhead. All calls of a run share it, coalesced calls too. */
  readonly admitted: Map<object, object>
  /** The object of the calls that may share a batch of keys. @default `admitted`: calls of one run */
  readonly batchGroup?: object | undefined
  /** The trace to which the requests of the calls belong; `undefined` if the run has none. */
  readonly trace?: TraceContext | undefined
  /** Records the spans of the calls; `undefined` if no tracer is registered. */
  readonly spans?: CallSpans | undefined
  /** Returns the present time, in ms from the start of the run. */
  now(): number
  emit(event: CallEvent): void
  /**
   * False if no observer needs the events `attempt ended`, `call waited`, `call joined` and `resend refused`. The other
   * events are always emitted.
   * @default true
   */
  readonly isWatched?: boolean
}
