import type { Access } from '../auth/access.ts'
import { dialer, targetOf } from './dial.ts'
import { createOpener, type Opener } from './opening.ts'
import { proxyFor } from './proxy.ts'
import { publicResolve } from './public-resolve.ts'
import type { Resolve } from './resolve.ts'

/** How a place is dialled, and what a call there must say beside itself. */
export interface Route extends Opener {
  /** What connections are made to. */
  readonly origin: string
  /** Stands before every path: nothing, or the place itself where a proxy is asked for it. */
  readonly pathPrefix: string
  /** Names and values that every call has, one after the other. */
  readonly headers: readonly string[]
}

export interface RouteOptions {
  readonly access: Access
  readonly resolve: Resolve
  /** Limit on opening a connection, in ms. */
  readonly connectTimeout: number
  /** Whether only public addresses are dialled. */
  readonly isPublic: boolean
  /** The name that its certificate must be for; without one, that of the origin. */
  readonly servername: string | undefined
}

/**
 * Finds the way to an origin: straight, through a proxy's tunnel for `https:`, or by a proxy that is asked itself for
 * `http:`.
 */
export function routeTo(
  target: URL,
  { access: { secureContext, proxy: proxies }, resolve, connectTimeout, isPublic, servername }: RouteOptions,
): Route {
  const tls = {
    allowH2: false,
    // Said here, it stands whatever NODE_TLS_REJECT_UNAUTHORIZED or --tls-min-v1.0 say.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(servername !== undefined && { servername }),
    ...(secureContext !== undefined && { secureContext }),
  } as const
  const dial = dialer({ resolve: isPublic ? publicResolve(resolve) : resolve, timeout: connectTimeout })
  const proxy = proxyFor(proxies, target)
  if (proxy === undefined)
    return {
      origin: target.origin,
      pathPrefix: '',
      headers: [],
      ...createOpener({ dial, timeout: connectTimeout, tls }),
    }
  const { url, authorization } = proxy
  if (target.protocol === 'https:') {
    const tunnel = { proxy: targetOf(url), authorization }
    return {
      origin: target.origin,
      pathPrefix: '',
      headers: [],
      ...createOpener({ dial, timeout: connectTimeout, tls, tunnel }),
    }
  }
  return {
    origin: url.origin,
    pathPrefix: target.origin,
    headers: ['host', target.host, ...(authorization === undefined ? [] : ['proxy-authorization', authorization])],
    ...createOpener({ dial, timeout: connectTimeout, tls }),
  }
}
