import { unescape } from 'node:querystring'
import { readNoProxy } from './no-proxy.ts'
import type { Secret } from '../spec/secret.ts'
import { proxyFault } from '../spec/url-faults.ts'
import type { VariableReader } from '../spec/variables.ts'

/** The proxies of an upstream. */
export interface ProxyAccess {
  /** The proxy for each protocol of a target. */
  readonly 'http:': Proxy | undefined
  readonly 'https:': Proxy | undefined
  /** Returns whether `NO_PROXY` names a target. */
  readonly isExcluded: (target: URL) => boolean
}

export interface Proxy {
  readonly url: URL
  /** The value of `proxy-authorization`; `undefined` if the URL of the proxy has no credentials. */
  readonly authorization: string | undefined
}

/** Reads the proxies from a declaration, or from the usual variables. Names in lower case take precedence. */
export function readProxy(declared: true | string | Secret, reader: VariableReader): ProxyAccess {
  const { optional } = reader
  const isExcepted = readNoProxy(optional('no_proxy') ?? optional('NO_PROXY') ?? '')
  if (declared !== true) {
    const proxy = proxyAt(reader.read(declared, 'proxy', proxyFault), reader)
    return { 'http:': proxy, 'https:': proxy, isExcluded: isExcepted }
  }
  const first = (...variables: readonly string[]) => {
    const variable = variables.find(name => optional(name) !== undefined)
    if (variable === undefined) return undefined
    const url = optional(variable) as string
    const reason = proxyFault(url)
    if (reason !== undefined) reader.fault(variable, reason)
    return proxyAt(url, reader)
  }
  return {
    'http:': first('http_proxy', 'HTTP_PROXY'),
    'https:': first('https_proxy', 'HTTPS_PROXY'),
    isExcluded: isExcepted,
  }
}

function proxyAt(text: string, { secrets }: VariableReader): Proxy | undefined {
  const url = URL.parse(text)
  if (url === null) return undefined
  const credentials = `${unescape(url.username)}:${unescape(url.password)}`
  if (credentials === ':') return { url, authorization: undefined }
  const encoded = Buffer.from(credentials).toString('base64')
  secrets.push(url.password, unescape(url.password), encoded)
  return { url, authorization: `Basic ${encoded}` }
}

/** Returns the proxy for a target; `undefined` without a proxy, and for a target that `NO_PROXY` names. */
export function proxyFor(access: ProxyAccess | undefined, target: URL): Proxy | undefined {
  if (access === undefined || access.isExcluded(target)) return undefined
  return access[target.protocol as 'http:' | 'https:']
}
