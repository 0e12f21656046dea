import type { AuthOptions } from '../../spec/access-options.ts'
import type { LiveCall } from '../../call/call.ts'

/** Whether a call carries credentials of its caller's or of ours in `Authorization`. */
export function isAuthorized({ spec: { upstream }, scope, headers }: LiveCall<unknown>): boolean {
  return (
    authorizes(upstream.auth) ||
    headers?.['authorization'] !== undefined ||
    (upstream.forwardHeaders.includes('authorization') && scope.headers['authorization'] !== undefined) ||
    Object.keys(upstream.headers).some(name => name.toLowerCase() === 'authorization')
  )
}

function authorizes(auth: AuthOptions | undefined): boolean {
  return (
    auth !== undefined && !('query' in auth) && (!('header' in auth) || auth.header.toLowerCase() === 'authorization')
  )
}
