import type { buildConnector } from 'undici'
import type { Access } from './access.ts'
import { dialer } from './dial.ts'
import { proxyFor } from './proxy.ts'
import { publicOnly } from './public-address.ts'
import { lookupOf, type Resolve } from './resolve.ts'
import { tunnel } from './tunnel.ts'

/** How a place is dialled, and what a call there must say beside itself. */
export interface Route {
  /** What connections are made to. */
  readonly origin: string
  /** Stands before every path: nothing, or the place itself where a proxy is asked for it. */
  readonly before: string
  /** Names and values that every call has, one after the other. */
  readonly headers: readonly string[]
  readonly connect: buildConnector.connector
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

/** Finds the way to an origin: straight, through a proxy's tunnel for `https:`, or by a proxy that is asked itself for `http:`. */
export function routeTo (target: URL, { access: { secureContext, proxy: proxies }, resolve, connectTimeout, isPublic, servername }: RouteOptions): Route {
  const connect = {
    timeout: connectTimeout,
    allowH2: false,
    lookup: lookupOf(isPublic ? publicOnly(resolve) : resolve),
    // Said here, it stands whatever NODE_TLS_REJECT_UNAUTHORIZED or --tls-min-v1.0 say.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...servername !== undefined && { servername },
    ...secureContext !== undefined && { secureContext },
  } as const
  const proxy = proxyFor(proxies, target)
  if (proxy === undefined) return { origin: target.origin, before: '', headers: [], connect: dialer(connect) }
  if (target.protocol === 'https:') return { origin: target.origin, before: '', headers: [], connect: tunnel({ proxy, connect }) }
  const { url, authorization } = proxy
  return {
    origin: url.origin,
    before: target.origin,
    headers: ['host', target.host, ...authorization === undefined ? [] : ['proxy-authorization', authorization]],
    connect: dialer(connect),
  }
}
