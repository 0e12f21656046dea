import type { SecureContext } from 'node:tls'
import type { Dispatcher } from 'undici'
import type { DialTarget } from '../connect/dial.ts'
import type { ProxyAccess } from '../connect/proxy.ts'
import type { Resolve } from '../connect/resolve.ts'
import { routeTo } from '../connect/route.ts'
import type { Service } from '../call/layer.ts'
import type { OriginSpec } from '../spec/origins-spec.ts'
import type { UpstreamSpec } from '../spec/spec.ts'
import { Connection } from './connection.ts'
import { dispatch, type Credentials } from './dispatch.ts'
import { openPool, type PoolGauge, type PoolOptions, type PoolSockets } from './pool.ts'
import { quietSocket } from './quiet-socket.ts'
import { paddedLength } from './white-space.ts'

/** The address of an upstream, after overrides. */
export interface UpstreamAddress {
  readonly url: URL
  /** The origins among which each attempt has one; `undefined` if the URL is that of the only one. */
  readonly origins: readonly OriginSpec[] | undefined
  /** The prefix of every path: the path of the origin. */
  readonly prefix: string
  /** True if an override set the address. Such an address is trusted and may be private. */
  readonly isTrusted: boolean
  /** True if every call is refused with `UPSTREAM_OFF`. */
  readonly isOff: boolean
}

export interface TransportOptions {
  readonly resolve: Resolve
  readonly secureContext: SecureContext | undefined
  readonly proxy: ProxyAccess | undefined
  readonly credentials: Credentials
  /** The address that is dialled in place of the host of the URL. @default the host of the URL */
  readonly target?: DialTarget | undefined
  /** Returns whether a new socket may be opened. @default every socket up to `connections` of the upstream */
  readonly mayOpen?: PoolOptions['mayOpen']
}

/** Sends calls to one upstream. */
export interface Transport {
  /** Sends a call as it is. */
  readonly service: Service
  /** Replaces the headers of the credentials for all later calls. */
  readonly setCredentialHeaders: (headers: readonly string[]) => void
  /** Rejects every call that waits for a connection, each with a result of `reason`. */
  readonly rejectQueued: (reason: () => unknown) => void
  /** Returns the numbers of connections at a moment. */
  readonly connections: () => PoolGauge
  readonly sockets: PoolSockets
  readonly close: () => Promise<unknown>
}

/** Opens the transport to an upstream: a pool that uses the route to its address. */
export function openTransport(
  spec: UpstreamSpec,
  { url, prefix, isTrusted }: UpstreamAddress,
  {
    resolve,
    secureContext,
    proxy,
    credentials: { headers: credentialHeaders, query },
    target,
    mayOpen,
  }: TransportOptions,
): Transport {
  const { connections, connectTimeout, pipelining, maxResponseHeaderBytes: maxHeaderBytes } = spec
  const { origin, pathPrefix, headers, connect, cancelAll } = routeTo(url, {
    secureContext,
    proxy,
    resolve,
    connectTimeout,
    isPublic: spec.publicOnly && !isTrusted,
    servername: spec.tls?.servername,
    target,
  })
  const pool = openPool(origin, { connections, connect, pipelining, maxHeaderBytes, mayOpen })
  const credentials = { headers: [...headers, ...credentialHeaders], query }
  return {
    service: dispatch(pool, pathPrefix + prefix, credentials, pipelining > 1),
    setCredentialHeaders(credentialHeaders) {
      credentials.headers = [...headers, ...credentialHeaders]
    },
    rejectQueued: pool.rejectQueued,
    connections: pool.gauge,
    sockets: pool.sockets,
    close: () => closeBoth(pool, cancelAll),
  }
}

export interface SingleUseOptions {
  readonly resolve: Resolve
  readonly secureContext: SecureContext | undefined
  readonly proxy: ProxyAccess | undefined
  readonly connectTimeout: number
  readonly isPublic: boolean
  /** The name that the certificate must contain. @default the host of the origin */
  readonly servername?: string | undefined
  /** The address that is dialled in place of the host of the URL. @default the host of the URL */
  readonly target?: DialTarget | undefined
  /** The limit on one response body, in bytes. */
  readonly maxBytes: number
}

/** Sends requests that are not calls, such as token requests, each on a new connection. */
export interface SingleUseTransport {
  readonly dispatcher: Dispatcher
  /** The prefix of every path. */
  readonly pathPrefix: string
  /** Header names and values of every request, alternating. */
  readonly headers: readonly string[]
  readonly close: () => Promise<unknown>
}

/**
 * Opens a transport that uses a new connection for each request. On a new connection no byte of an earlier response can
 * precede the response.
 */
export function openSingleUseTransport(target: URL, { maxBytes, ...options }: SingleUseOptions): SingleUseTransport {
  const { origin, pathPrefix, headers, connect, cancelAll } = routeTo(target, options)
  const connection = new Connection(origin, { connect: quietSocket(connect), maxBytes, pipelining: 0 })
  return {
    dispatcher: connection.compose(paddedLength),
    pathPrefix,
    headers,
    close: () => closeBoth(connection, cancelAll),
  }
}

/**
 * Destroys a pool or a connection, and cancels the connections that are being opened. `destroy()` of undici rejects the
 * requests that wait for these connections, but lets the connections open or time out.
 */
function closeBoth(pool: { destroy(): Promise<unknown> }, cancelAll: () => void): Promise<unknown> {
  const destroyed = pool.destroy()
  cancelAll()
  return destroyed
}
