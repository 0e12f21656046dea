import { UpstreamError } from '../errors.ts'

/**
 * Returns the error for an invalid input of a call that was made from an answer: the upstream of the answer may have
 * caused it. Returns undefined for any other error.
 */
export function upstreamInputError(error: unknown): UpstreamError | undefined {
  if (!(error instanceof UpstreamError) || error.code !== 'CALL_INPUT_INVALID') return undefined
  return new UpstreamError('UPSTREAM_CALL_INPUT_INVALID', error.source, { cause: error })
}
