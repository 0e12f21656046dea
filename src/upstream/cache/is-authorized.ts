import type { LiveCall } from '../call.ts'

/** Whether a call carries credentials of its caller's or of ours in `Authorization`. */
export function isAuthorized ({ spec: { upstream }, scope, headers }: LiveCall<unknown>): boolean {
  return headers?.['authorization'] !== undefined || (upstream.forward.includes('authorization') && scope.headers['authorization'] !== undefined) ||
    Object.keys(upstream.headers).some(name => name.toLowerCase() === 'authorization')
}
