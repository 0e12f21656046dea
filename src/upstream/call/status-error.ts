import { UpstreamError, type UpstreamErrorOptions } from '../../errors.ts'

/** Returns the error of a response whose status its operation does not accept. */
export function statusError(upstream: string, status: number, options: UpstreamErrorOptions = {}): UpstreamError {
  return new UpstreamError(status === 429 || status === 503 ? 'UPSTREAM_BUSY' : 'UPSTREAM_STATUS', upstream, {
    ...options,
    upstreamStatus: status,
    detail: `status ${status}`,
  })
}
