import { UpstreamError, type Verdict } from '../errors.ts'

/** Judges once whether a failure says something about its upstream; `sent` is whether the upstream was asked at all. */
export function verdictOf (error: unknown, sent: boolean): Verdict {
  if (!(error instanceof UpstreamError)) return 'ignored'
  // A deadline that found the call still in our own queue says nothing about the upstream.
  return error.code === 'DEADLINE_EXCEEDED' && !sent ? 'ignored' : error.verdict
}
