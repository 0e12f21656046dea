import { checkObject } from '../core/option-values.ts'
import { readTraceparent, writeTraceparent, type TraceContext } from './trace-context.ts'
import { readTracestate } from './tracestate.ts'

/**
 * Returns the trace context that code has supplied, as it would be read from headers.
 *
 * @throws {TypeError} that names the owner, the option and the allowed values.
 */
export function checkTrace(owner: string, option: string, trace: TraceContext): TraceContext {
  checkObject(owner, option, trace, "{ traceId: '4bf9…', spanId: '00f0…', flags: 1, tracestate: undefined }")
  const { traceId, spanId, flags, tracestate } = trace
  if (!Number.isInteger(flags) || flags < 0 || flags > 255)
    throw new TypeError(`${owner}: ${option}.flags must be a whole number from 0 to 255, got ${flags}`)
  const context = readTraceparent(writeTraceparent(traceId, spanId, flags))
  if (context === undefined)
    throw new TypeError(
      `${owner}: ${option} has no valid ids: traceId must be 32 and spanId 16 lower-case hex digits, not all 0`,
    )
  if (tracestate === undefined) return context
  const state = typeof tracestate === 'string' ? readTracestate(tracestate) : undefined
  if (state === undefined && tracestate !== '')
    throw new TypeError(`${owner}: ${option}.tracestate must be a list as in the header, for example 'rojo=1,congo=2'`)
  return { ...context, tracestate: state }
}
