import { UpstreamError, type Verdict } from '../errors.ts'
import type { LiveCall } from './call.ts'

/** Judges once whether a failed call says something about its upstream; metrics, and later breaker and retry, read this. */
export function verdictOf (error: unknown, { effort }: LiveCall<unknown>): Verdict {
  if (!(error instanceof UpstreamError)) return 'ignored'
  // A deadline that found the call still in our own queue says nothing about the upstream.
  return error.code === 'DEADLINE_EXCEEDED' && !effort.sent ? 'ignored' : error.verdict
}
