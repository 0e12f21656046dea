import { hash } from 'node:crypto'
import type { Records } from '../connect/records.ts'
import type { Resolve } from '../connect/resolve.ts'
import type { Layer } from '../call/layer.ts'
import type { UpstreamSpec } from '../spec/spec.ts'
import {
  openSingleUseTransport,
  openTransport,
  type Transport,
  type TransportOptions,
  type UpstreamAddress,
} from '../transport/transport.ts'
import type { Access } from './access.ts'
import { authorize } from './authorize.ts'
import { maxTokenBytes, tokenEndpoint } from './token-endpoint.ts'

/** The name resolution that all upstreams of a runtime share. */
export interface NameServices {
  readonly resolve: Resolve
  /** Returns the DNS records of names. The first call creates the resolver. */
  readonly records: () => Records
}

export interface AuthorizedTransportOptions {
  /** The secrets that the declaration names. */
  readonly access: Access
  readonly resolve: Resolve
  /** Receives each new token. It does not throw. */
  readonly onToken: (token: string) => void
  /** Opens the transport. @default the transport to one origin */
  readonly open?: OpenTransport | undefined
}

/** Opens the transport of an upstream with its secrets. */
export type OpenTransport = (options: TransportOptions) => Omit<Transport, 'sockets'>

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
  { access, resolve, onToken, open = options => openTransport(spec, address, options) }: AuthorizedTransportOptions,
): AuthorizedTransport {
  const { faults, secrets, token, credentials, secureContext, proxy } = access
  if (faults.length > 0) {
    throw new TypeError(
      `${faults.map(({ variable, reason }) => `${variable} ${reason}`).join('; ')}: pass ` +
        'createRuntime an environment that contains it, for example process.env',
    )
  }
  const transport = open({
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
        onToken(value)
        transport.setCredentialHeaders(['authorization', `Bearer ${value}`])
      },
    }),
    rejectQueued,
    connections,
    close: () => Promise.all([close(), tokens.close()]),
  }
}
