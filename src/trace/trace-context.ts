/**
 * The position of a span in a distributed trace (W3C Trace Context).
 *
 * @example
 * ```ts
 * import type { TraceContext } from 'headwaters'
 *
 * const trace: TraceContext = {
 *   traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
 *   spanId: '00f067aa0ba902b7',
 *   flags: 1,
 *   tracestate: undefined,
 * }
 * ```
 */
export interface TraceContext {
  /** The id of the trace: 32 lower-case hex digits, not all 0. */
  readonly traceId: string
  /** The id of the span: 16 lower-case hex digits, not all 0. */
  readonly spanId: string
  /** The `trace-flags`: 1 is `sampled`, and 2 is `random-trace-id`. Other bits are always 0. */
  readonly flags: number
  /** The value of `tracestate`; `undefined` if it is absent or invalid. */
  readonly tracestate: string | undefined
}

/** The flag of a trace that is recorded. */
export const sampledFlag = 1

/**
 * The flags that are passed on: `sampled`, and `random-trace-id` of Trace Context, level 2. All other flags are set to
 * 0 (W3C Trace Context, section 3.2.2.5).
 */
const knownFlags = 3

/** The length of a `traceparent` of version 00. */
const ownLength = 55

/**
 * A `traceparent` of any version. A later version may have more fields after a dash. A comma separates the values of
 * several headers, and one request has only one `traceparent`.
 */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[^,]*)?$/

/**
 * Reads a `traceparent` (W3C Trace Context, sections 3.2 and 3.2.4), without its white space.
 *
 * @returns The trace context without a `tracestate`; `undefined` if the value is invalid.
 */
export function readTraceparent(value: string): TraceContext | undefined {
  if (!pattern.test(value)) return undefined
  let text = value
  if (value.length !== ownLength) {
    if (value.startsWith('00')) return undefined
    // The ids are kept longer than the request. A substring would keep the whole value in memory.
    text = Buffer.from(value.slice(0, ownLength), 'latin1').toString('latin1')
  }
  return {
    traceId: text.slice(3, 35),
    spanId: text.slice(36, 52),
    flags: Number.parseInt(text.slice(53, ownLength), 16) & knownFlags,
    tracestate: undefined,
  }
}

/** Returns the `traceparent` of a span, in version 00. */
export function writeTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-${writeFlags(flags)}`
}

/** Returns flags as two hex digits. */
export function writeFlags(flags: number): string {
  return flags < 16 ? `0${flags.toString(16)}` : flags.toString(16)
}
