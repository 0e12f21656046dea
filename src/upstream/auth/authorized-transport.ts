import { hash } from 'node:crypto'
import { ignoreRejection } from '../../core/promises.ts'
import type { Resolve } from '../connect/resolve.ts'
import type { Layer } from '../call/layer.ts'
import type { UpstreamSpec } from '../spec/spec.ts'
import type { Variables } from '../spec/variables.ts'
import { openSingleUseTransport, openTransport, type Transport, type UpstreamAddress } from '../transport/transport.ts'
import { readAccess } from './access.ts'
import { authorize } from './authorize.ts'
import { maxTokenBytes, tokenEndpoint } from './token-endpoint.ts'

/** The services of a runtime that all its upstreams share. */
export interface RuntimeServices {
  readonly variables: Variables
  readonly resolve: Resolve
  /** Receives each new token. */
  readonly onToken?: ((token: string) => void) | undefined
}

/** A transport that sends the credentials of the upstream's declaration. */
export interface AuthorizedTransport extends Pick<Transport, 'service' | 'rejectQueued' | 'connections' | 'close'> {
  /** Requests a token before a call is sent; `undefined` without OAuth. */
  readonly authorize: Layer | undefined
  /**
   * Identifies the credentials, so that a shared cache separates the answers of different credentials. Empty without
   * secrets.
   */
  readonly identity: string
}

/**
 * Opens the transport to an upstream with the secrets that its declaration names.
 *
 * @throws {TypeError} For variables that are missing or invalid.
 */
export function openAuthorizedTransport(
  spec: UpstreamSpec,
  address: UpstreamAddress,
  { variables, resolve, onToken }: RuntimeServices,
): AuthorizedTransport {
  const { faults, secrets, token, credentials, secureContext, proxy } = readAccess(spec, variables)
  if (faults.length > 0) {
    throw new TypeError(
      `${faults.map(({ variable, reason }) => `${variable} ${reason}`).join('; ')}: pass ` +
        'createRuntime an environment that contains it, for example process.env',
    )
  }
  const transport = openTransport(spec, address, {
    resolve,
    secureContext,
    proxy,
    credentials: credentials ?? { headers: [], query: '' },
  })
  const { service, rejectQueued, connections, close } = transport
  const { clientId, scope, audience, parameters } = token ?? {}
  const identity =
    secrets.length === 0
      ? ''
      : hash('sha256', JSON.stringify([secrets, clientId, scope, audience, parameters]), 'base64url')
  if (token === undefined) return { service, identity, authorize: undefined, rejectQueued, connections, close }

  const tokens = openSingleUseTransport(token.url, {
    resolve,
    secureContext,
    proxy,
    connectTimeout: spec.connectTimeout,
    isPublic: spec.publicOnly && !token.isTrusted,
    maxBytes: maxTokenBytes,
  })
  return {
    service,
    identity,
    authorize: authorize({
      fetchToken: tokenEndpoint({
        upstream: spec.name,
        access: token,
        dispatcher: tokens.dispatcher,
        pathPrefix: tokens.pathPrefix,
        headers: tokens.headers,
      }),
      use: value => {
        try {
          ignoreRejection(onToken?.(value))
        } catch {
          // The calls that wait for the token need it even if the callback throws.
        }
        transport.setCredentialHeaders(['authorization', `Bearer ${value}`])
      },
    }),
    rejectQueued,
    connections,
    close: () => Promise.all([close(), tokens.close()]),
  }
}
