import { hash } from 'node:crypto'
import { readAccess } from '../auth/access.ts'
import type { Credentials } from '../auth/credentials.ts'
import { Connection } from './connection.ts'
import { dispatch } from './dispatch.ts'
import { authorize } from '../auth/authorize.ts'
import { paddedLength } from './padded-length.ts'
import type { Layer, Service } from '../policies/layer.ts'
import { openPool } from './pool.ts'
import { ignoreRejection } from '../../core/ignore-rejection.ts'
import { quietSocket } from './quiet-socket.ts'
import type { Resolve } from '../connect/resolve.ts'
import { routeTo } from '../connect/route.ts'
import type { UpstreamSpec } from '../spec/spec.ts'
import { maxTokenBytes, tokenEndpoint } from '../auth/token-endpoint.ts'
import type { Variables } from '../spec/variables.ts'

/** Where an upstream really is. */
export interface UpstreamAddress {
  readonly url: URL
  /** Stands before every path. */
  readonly prefix: string
  /** Whether it was set from outside, by whoever knows what is there. */
  readonly isTrusted: boolean
  /** Whether every call is refused. */
  readonly isOff: boolean
}

/** What all upstreams of a runtime share. */
export interface RuntimeServices {
  readonly variables: Variables
  readonly resolve: Resolve
  /** Is called with each token. */
  readonly onToken?: ((token: string) => void) | undefined
}

/** The way to one upstream. */
export interface Transport {
  /** Sends a call as it is. */
  readonly service: Service
  /** Has a token ready for it; only with OAuth. */
  readonly authorize: Layer | undefined
  /**
   * Stands for who asks, so that a store of answers can tell apart who asks for whom; empty where nobody in particular
   * does.
   */
  readonly identity: string
  /** Rejects every call that waits for a connection, each with what `reason` makes. */
  readonly rejectQueued: (reason: () => unknown) => void
  readonly close: () => Promise<unknown>
}

/**
 * Opens the way to an upstream, with the secrets that its declaration names; throws a `TypeError` for those that cannot
 * be used.
 */
export function openTransport(
  spec: UpstreamSpec,
  { url, prefix, isTrusted }: UpstreamAddress,
  { variables, resolve, onToken }: RuntimeServices,
): Transport {
  const access = readAccess(spec, variables)
  if (access.faults.length > 0) {
    throw new TypeError(
      `${access.faults.map(({ variable, reason }) => `${variable} ${reason}`).join('; ')}: give createRuntime an environment that has it, for example process.env`,
    )
  }
  const { connections, connectTimeout } = spec
  const to = (target: URL, isPublic: boolean, servername?: string) =>
    routeTo(target, { access, resolve, connectTimeout, isPublic, servername })
  const {
    origin,
    pathPrefix: before,
    headers,
    connect,
    cancelAll: stop,
  } = to(url, spec.publicOnly && !isTrusted, spec.tls?.servername)
  const pipelining = spec.pipelining
  const pool = openPool(origin, { connections, connect, pipelining })

  const fixed = access.credentials ?? { headers: [], query: '' }
  const credentials: { -readonly [K in keyof Credentials]: Credentials[K] } = {
    ...fixed,
    headers: [...headers, ...fixed.headers],
  }
  const service = dispatch(pool, before + prefix, credentials, pipelining > 1)
  const identity =
    access.secrets.length === 0
      ? ''
      : hash('sha256', JSON.stringify([access.secrets, access.token?.clientId, access.token?.scope]), 'base64url')
  if (access.token === undefined)
    return {
      service,
      identity,
      authorize: undefined,
      rejectQueued: pool.rejectQueued,
      close: () => destroyed(pool.destroy(), stop),
    }

  const way = to(access.token.url, spec.publicOnly && !access.token.isTrusted)
  // A connection for each request: a token is asked for seldom, and nothing can stand on a new connection before the
  // answer.
  const tokens = new Connection(way.origin, {
    connect: quietSocket(way.connect),
    maxBytes: maxTokenBytes,
    pipelining: 0,
  })
  return {
    service,
    identity,
    authorize: authorize({
      fetchToken: tokenEndpoint({
        upstream: spec.name,
        access: access.token,
        dispatcher: tokens.compose(paddedLength),
        before: way.pathPrefix,
        headers: way.headers,
      }),
      use: token => {
        try {
          ignoreRejection(onToken?.(token))
        } catch {
          // The calls that wait for the token need it all the same.
        }
        credentials.headers = [...headers, 'authorization', `Bearer ${token}`]
      },
    }),
    rejectQueued: pool.rejectQueued,
    close: () => Promise.all([destroyed(pool.destroy(), stop), destroyed(tokens.destroy(), way.cancelAll)]),
  }
}

/**
 * Gives up connections that are being opened. `destroy()` of undici fails the calls that wait for them, and lets them
 * be opened or time out.
 */
function destroyed(destroyed: Promise<unknown>, stop: () => void): Promise<unknown> {
  stop()
  return destroyed
}
