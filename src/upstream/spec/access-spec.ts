import { z } from 'zod'
import type { AuthOptions, TlsOptions } from './access-options.ts'
import { checkHeaderName, forwardFault, isTraceHeader } from '../../core/headers.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean, checkTextOption } from '../../core/option-values.ts'
import { checkOAuth2 } from './check-oauth2.ts'
import type { UpstreamOptions } from './options.ts'
import type { UpstreamOrigins } from './origins-spec.ts'
import { queryNameMatcher } from './query-name.ts'
import { checkSecret, Secret } from './secret.ts'
import { privateFault, proxyFault } from './url-faults.ts'

/** The checked options of an upstream for its address and its credentials. */
export interface AccessSpec {
  readonly publicOnly: boolean
  readonly auth: AuthOptions | undefined
  readonly tls: TlsOptions | undefined
  readonly proxy: true | string | Secret | undefined
}

const authOptions = { bearer: true, header: true, query: true, secret: true, oauth2: true } as const
const tlsOptions: OptionKeys<TlsOptions> = { ca: true, cert: true, key: true, servername: true }

/**
 * Checks the options for address and credentials. Throws a `TypeError` that names the option and the fix. The message
 * never contains a value that may be a secret.
 */
export function checkAccess(owner: string, options: UpstreamOptions, origins: UpstreamOrigins): AccessSpec {
  const { publicOnly = false, auth, tls, proxy } = options
  checkBoolean(owner, 'publicOnly', publicOnly)
  if (publicOnly && proxy !== undefined)
    throw new TypeError(
      `${owner}: publicOnly has no effect with proxy, because the proxy connects to the address: remove one of them`,
    )
  if (publicOnly) checkPublic(owner, origins)
  if (auth !== undefined) checkAuth(owner, auth, options, publicOnly)
  if (tls !== undefined) checkTls(owner, tls)
  if (proxy !== undefined && proxy !== true && typeof proxy !== 'string' && !(proxy instanceof Secret))
    throw new TypeError(`${owner}: proxy must be true, the URL of a proxy, or env('NAME')`)
  if (typeof proxy === 'string') {
    const fault = proxyFault(proxy)
    if (fault !== undefined) throw new TypeError(`${owner}: proxy ${fault}`)
    if (new URL(proxy).username !== '')
      throw new TypeError(
        `${owner}: proxy contains credentials: write proxy: env('NAME'), and put the URL into that variable`,
      )
  }
  return { publicOnly, auth: auth && Object.freeze({ ...auth }), tls: tls && Object.freeze({ ...tls }), proxy }
}

function checkPublic(owner: string, { origin, origins }: UpstreamOrigins): void {
  for (const url of origins?.map(each => each.origin) ?? [origin]) {
    const fault = privateFault(url)
    if (fault !== undefined) throw new TypeError(`${owner}: its origin ${origins ? `${url} ` : ''}${fault}`)
  }
}

function checkAuth(
  owner: string,
  auth: AuthOptions,
  { headers = {}, forwardHeaders = [] }: UpstreamOptions,
  publicOnly: boolean,
): void {
  rejectUnknownOptions(owner, auth, authOptions, { group: 'auth' })
  const kinds = ['bearer', 'header', 'query', 'oauth2'].filter(kind => kind in auth)
  if (kinds.length !== 1)
    throw new TypeError(`${owner}: auth must have exactly one of bearer, header, query and oauth2`)
  if ('oauth2' in auth) checkOAuth2(owner, auth.oauth2, publicOnly)
  else if ('bearer' in auth) checkSecret(owner, 'auth.bearer', auth.bearer)
  else checkSecret(owner, 'auth.secret', auth.secret)
  if ('query' in auth) {
    checkTextOption(owner, 'auth.query', auth.query, "'api_key'")
    if (!/^[A-Za-z0-9_.~-]+$/.test(auth.query))
      throw new TypeError(`${owner}: auth.query must be a name of letters, digits and . _ ~ -, got '${auth.query}'`)
    return
  }
  if ('header' in auth) checkTextOption(owner, 'auth.header', auth.header, "'x-api-key'")
  const header = 'header' in auth ? auth.header : 'authorization'
  checkHeaderName(owner, header)
  if (
    /^(?:accept|idempotency-key)$/i.test(header) ||
    forwardFault(header) !== undefined ||
    isTraceHeader(header.toLowerCase())
  )
    throw new TypeError(
      `${owner}: auth cannot use the header '${header}', which calls set themselves: choose another header`,
    )
  for (const other of [...Object.keys(headers), ...forwardHeaders]) {
    if (other.toLowerCase() === header.toLowerCase())
      throw new TypeError(`${owner}: auth sends the header '${header}': remove it from headers and forwardHeaders`)
  }
}

function checkTls(owner: string, options: TlsOptions): void {
  rejectUnknownOptions(owner, options, tlsOptions, { group: 'tls' })
  const { ca, cert, key, servername } = options
  if (servername !== undefined) checkTextOption(owner, 'tls.servername', servername, "'cats.example'")
  if (key !== undefined) checkSecret(owner, 'tls.key', key)
  if ((key === undefined) !== (cert === undefined))
    throw new TypeError(`${owner}: tls.cert and tls.key must be set together: set both or none`)
  for (const [option, pem] of [
    ['ca', ca],
    ['cert', cert],
  ] as const) {
    if (pem === undefined || pem instanceof Secret) continue
    if (typeof pem !== 'string' || !pem.trimStart().startsWith('-----BEGIN CERTIFICATE-----'))
      throw new TypeError(
        `${owner}: tls.${option} must be a certificate as PEM, or env('NAME') for a ` +
          'variable that holds one or the path of its file',
      )
  }
}

/** Refuses an operation with a query field that the upstream's `auth` uses for its secret. */
export function checkQueryAuth(operation: string, auth: AuthOptions | undefined, query: z.ZodType | undefined): void {
  if (auth === undefined || !('query' in auth) || !(query instanceof z.ZodObject)) return
  const field = Object.keys(query.shape).find(queryNameMatcher(auth.query))
  if (field === undefined) return
  const other = field === auth.query ? '' : `, which the upstream may read as '${auth.query}',`
  throw new TypeError(`${operation}: the query field '${field}'${other} is used by the upstream's auth: remove it`)
}
