import { errors, type ErrorCode } from '../errors.ts'

/**
 * Returns whether a failed attempt is evidence against its upstream, as the circuit breaker decides it: a 4xx status
 * other than 408 and 429, a cancelled attempt and a refusal by Headwaters are not.
 *
 * @param errorType - The label `error_type` of the attempt: a status, a code, or empty for an answer.
 */
export function isEvidence(errorType: string): boolean {
  if (errorType === '') return false
  const status = Number(errorType)
  if (Number.isNaN(status))
    return Object.hasOwn(errors, errorType) && errors[errorType as ErrorCode].verdict === 'failed'
  return status < 400 || status > 499 || status === 408 || status === 429
}

/** Returns whether a failed run is the fault of its caller. */
export function isCallersFault(code: string): boolean {
  return Object.hasOwn(errors, code) && errors[code as ErrorCode].status < 500
}
