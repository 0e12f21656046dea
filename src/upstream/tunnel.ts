import { request } from 'node:http'
import type { buildConnector } from 'undici'
import { dialer } from './dial.ts'
import type { Proxy } from './proxy.ts'

export interface TunnelOptions {
  readonly proxy: Proxy
  /** How TLS goes through the tunnel, and how long each of the two may take to be there. */
  readonly connect: buildConnector.BuildOptions & { readonly timeout: number }
}

/** Connects to an upstream through a proxy's `CONNECT` (RFC 9110, section 9.3.6), and speaks TLS through it. */
export function tunnel ({ proxy: { url, authorization }, connect }: TunnelOptions): buildConnector.connector {
  const secure = dialer(connect)
  return (options, callback) => {
    const host = options.host as string
    const place = options.port === '' ? `${host}:443` : host
    const asked = request({
      method: 'CONNECT',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port,
      path: place,
      headers: { host: place, ...authorization !== undefined && { 'proxy-authorization': authorization } },
      agent: false,
      ...'lookup' in connect && { lookup: connect.lookup },
    })
    const limit = setTimeout(() => asked.destroy(failure('ETIMEDOUT', `the proxy made no tunnel within ${connect.timeout} ms`)), connect.timeout)
    asked.once('error', error => {
      clearTimeout(limit)
      callback(error, null)
    })
    asked.once('connect', ({ statusCode }, socket) => {
      clearTimeout(limit)
      if (statusCode === 200) return secure({ ...options, httpSocket: socket }, callback)
      socket.destroy()
      callback(failure('PROXY_REFUSED', `the proxy answered CONNECT with status ${statusCode}`), null)
    })
    asked.end()
  }
}

function failure (code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
