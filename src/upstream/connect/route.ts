import type { SecureContext } from 'node:tls'
import { dialer, targetOf, type Dial, type DialTarget } from './dial.ts'
import { createOpener, type Opener } from './opening.ts'
import { proxyFor, type ProxyAccess } from './proxy.ts'
import { addressRefusal, publicResolve, type Resolve } from './resolve.ts'

/** Opens connections to an origin, and contains the values that every request on them needs. */
export interface OriginRoute extends Opener {
  /** The origin to which connections are opened: the origin of the target, or of a proxy for `http:`. */
  readonly origin: string
  /** The prefix of every path: empty, or the target's origin if a proxy forwards the request. */
  readonly pathPrefix: string
  /** Header names and values of every request, alternating. */
  readonly headers: readonly string[]
}

export interface OriginRouteOptions {
  /** The certificates and the key of TLS; `undefined` uses the certificates of Node.js. */
  readonly secureContext: SecureContext | undefined
  readonly proxy: ProxyAccess | undefined
  readonly resolve: Resolve
  /** The limit on the time to open a connection, in ms. */
  readonly connectTimeout: number
  /** True if connections are opened to public addresses only. */
  readonly isPublic: boolean
  /** The name that the certificate must contain. @default the host of the origin */
  readonly servername?: string | undefined
  /**
   * The IP address that is dialled in place of the host of the URL. Without a proxy only.
   * @default the host of the URL
   */
  readonly target?: DialTarget | undefined
}

/** Finds the route to an origin: direct, through a proxy's tunnel (`https:`), or forwarded by a proxy (`http:`). */
export function routeTo(
  target: URL,
  { secureContext, proxy: proxies, resolve, connectTimeout, isPublic, servername, target: pinned }: OriginRouteOptions,
): OriginRoute {
  const tls = {
    allowH2: false,
    // Explicit values override NODE_TLS_REJECT_UNAUTHORIZED and --tls-min-v1.0.
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
      ...createOpener({
        dial: pinned === undefined ? dial : dialOnly(pinned, dial, isPublic),
        timeout: connectTimeout,
        tls,
      }),
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

/** Returns a dialler that dials one IP address, whatever the host of the URL is. */
function dialOnly(target: DialTarget, dial: Dial, isPublic: boolean): Dial {
  return ({ hostname }, done) => {
    // `publicResolve` checks the addresses of names only.
    const refusal = isPublic ? addressRefusal(hostname, [{ address: target.hostname }]) : undefined
    if (refusal === undefined) return dial(target, done)
    done(refusal, null)
    return () => {}
  }
}
