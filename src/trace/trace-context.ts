/** The position of a span in a distributed trace (W3C Trace Context). */
export interface TraceContext {
  /** The id of the trace: 32 lower-case hex digits, not all 0. */
  readonly traceId: string
  /** The id of the span: 16 lower-case hex digits, not all 0. */
  readonly spanId: string
  /** The `trace-flags` from 0 to 255. Bit 0 is `sampled`. */
  readonly flags: number
  /** The value of `tracestate`; `undefined` if it is absent or invalid. */
  readonly tracestate: string | undefined
}
