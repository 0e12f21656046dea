import { hash } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import type { AuthOptions, OAuth2Options } from '../spec/access-options.ts'
import type { AccessSpec } from '../spec/access-spec.ts'
import type { Credentials } from '../transport/dispatch.ts'
import { readProxy, type ProxyAccess } from '../connect/proxy.ts'
import { Secret } from '../spec/secret.ts'
import { tokenUrlFault } from '../spec/url-faults.ts'
import { readTls } from '../connect/tls.ts'
import { variableReader, type VariableFault, type VariableReader, type Variables } from '../spec/variables.ts'

/** The endpoint and the credentials for token requests. */
export interface TokenAccess {
  readonly url: URL
  /** True if the URL comes from the environment. Such a URL is trusted. */
  readonly isTrusted: boolean
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  readonly audience: string | undefined
  /** The names and values of further parameters, in the order of their names. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly send: 'header' | 'body'
}

/** The access to an upstream: its declaration, and the values of the variables that it names. */
export interface Access {
  readonly credentials: Credentials | undefined
  readonly token: TokenAccess | undefined
  readonly secureContext: SecureContext | undefined
  readonly proxy: ProxyAccess | undefined
  /** Values that a log must not contain. */
  readonly secrets: readonly string[]
  /** The faults because of which the upstream cannot be used. */
  readonly faults: readonly VariableFault[]
  /** A hash of all variables and files that were read; empty if there are none. */
  readonly fingerprint: string
}

/**
 * Reads the variables that the declaration of an upstream names.
 *
 * @param onFile Called with the path of each file, before the file is read.
 */
export function readAccess(
  { name, auth, tls, proxy }: AccessSpec & { readonly name: string },
  variables: Variables,
  onFile?: VariableReader['onFile'],
): Access {
  const reader = variableReader(name, variables, onFile)
  const { secrets, faults, inputs } = reader
  return {
    credentials: auth && readCredentials(auth, reader),
    token: auth && 'oauth2' in auth ? readToken(auth.oauth2, reader) : undefined,
    secureContext: tls && readTls(tls, reader),
    proxy: proxy === undefined ? undefined : readProxy(proxy, reader),
    secrets,
    faults,
    // All values were read above.
    fingerprint: inputs.length === 0 ? '' : hash('sha256', JSON.stringify(inputs), 'base64url'),
  }
}

/** Reads the headers and the query of credentials; `undefined` for a token, which a call requests. */
export function readCredentials(
  auth: AuthOptions,
  reader: Pick<VariableReader, 'secret' | 'secrets'>,
): Credentials | undefined {
  if ('oauth2' in auth) return undefined
  if ('bearer' in auth)
    return { headers: ['authorization', `Bearer ${reader.secret(auth.bearer, 'auth', headerFault)}`], query: '' }
  if ('header' in auth)
    return { headers: [auth.header.toLowerCase(), reader.secret(auth.secret, 'auth', headerFault)], query: '' }
  const encoded = encodeURIComponent(reader.secret(auth.secret, 'auth'))
  reader.secrets.push(encoded)
  return { headers: [], query: `${auth.query}=${encoded}` }
}

function readToken(
  { tokenUrl, clientId, clientSecret, scope, audience, parameters = {}, send = 'header' }: OAuth2Options,
  reader: VariableReader,
): TokenAccess | undefined {
  const url = URL.parse(reader.read(tokenUrl, 'auth.oauth2.tokenUrl', tokenUrlFault))
  const client = {
    clientId: reader.read(clientId, 'auth.oauth2.clientId'),
    clientSecret: reader.secret(clientSecret, 'auth.oauth2.clientSecret'),
    audience: audience === undefined ? undefined : readParameter(audience, 'auth.oauth2.audience', reader),
    // Sorted, because the identity of the credentials must not depend on the order of the declaration.
    parameters: Object.entries(parameters)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, readParameter(value, `auth.oauth2.parameters.${name}`, reader)] as const),
  }
  return url === null ? undefined : { url, isTrusted: tokenUrl instanceof Secret, ...client, scope, send }
}

/** Reads a parameter of a token request. A value from the environment is a secret, and a value of the declaration is not. */
function readParameter(what: string | Secret, option: string, reader: VariableReader): string {
  return what instanceof Secret ? reader.secret(what, option) : what
}

function headerFault(value: string): string | undefined {
  return /^[\x20-\x7e]+$/.test(value) ? undefined : 'contains characters that are not allowed in a header'
}
