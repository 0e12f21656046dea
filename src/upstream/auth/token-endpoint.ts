import { escape } from 'node:querystring'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { request } from '../../core/undici.ts'
import { UpstreamError } from '../../errors.ts'
import type { TokenAccess } from './access.ts'
import type { Token } from './authorize.ts'
import { isUnsent, wireError } from '../connect/wire-errors.ts'

export interface TokenEndpointOptions {
  readonly upstream: string
  readonly access: TokenAccess
  readonly dispatcher: Dispatcher
  /** The prefix of the path. */
  readonly pathPrefix: string
  /** Header names and values of every request, alternating. */
  readonly headers: readonly string[]
  /** The limit on one request, in ms. @default 5000 */
  readonly timeout?: number
}

/** The limit on the response of a token endpoint, in bytes. */
export const maxTokenBytes = 64 * 1024

/** The lifetime of a token whose endpoint gives no number, in seconds. */
const defaultLife = 300

/**
 * A number, or a string with a number, which some endpoints send. A token with a lifetime of 0 or less is used for the
 * calls that wait for it, and not stored.
 */
const Life = z.union([
  z.number(),
  z
    .string()
    .regex(/^[-+]?\d+(?:\.\d+)?$/)
    .transform(Number)
    .pipe(z.number()),
])

const Answer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: Life.catch(defaultLife),
})

/**
 * Creates the function that requests a token with client credentials (RFC 6749, section 4.4). The function rejects with
 * an `UpstreamError`.
 */
export function tokenEndpoint({
  upstream,
  access,
  dispatcher,
  pathPrefix,
  headers,
  timeout = 5000,
}: TokenEndpointOptions): () => Promise<Token> {
  const { url, clientId, clientSecret, scope, audience, parameters, send } = access
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope !== undefined && { scope }),
    ...(audience !== undefined && { audience }),
    ...(send === 'body' && { client_id: clientId, client_secret: clientSecret }),
  })
  for (const [name, value] of parameters) form.append(name, value)
  const basic = `Basic ${Buffer.from(`${escape(clientId)}:${escape(clientSecret)}`).toString('base64')}`
  const options = {
    origin: url.origin,
    method: 'POST' as const,
    path: pathPrefix + url.pathname + url.search,
    headers: [
      ...headers,
      'accept',
      'application/json',
      'user-agent',
      'headwaters',
      'content-type',
      'application/x-www-form-urlencoded',
      ...(send === 'header' ? ['authorization', basic] : []),
    ],
    body: form.toString(),
  }

  const requestOnce = (signal: AbortSignal) => request.call(dispatcher, { ...options, signal })

  return async () => {
    const signal = AbortSignal.timeout(timeout)
    try {
      const { statusCode, body } = await requestOnce(signal).catch((error: Error) => {
        if (isUnsent(error)) return requestOnce(signal)
        throw error
      })
      const text = await body.text()
      if (statusCode !== 200)
        throw new UpstreamError('UPSTREAM_AUTH', upstream, {
          detail: `its token endpoint answered status ${statusCode}`,
          cause: refusalOf(text),
        })
      const { success, data } = Answer.safeParse(parsed(text))
      if (!success)
        throw new UpstreamError('UPSTREAM_AUTH', upstream, {
          detail: 'its token endpoint did not answer with a bearer token',
        })
      return { value: data.access_token, livesMs: Math.max(0, data.expires_in * 1000) }
    } catch (error) {
      if (error instanceof UpstreamError) throw error
      if ((error as Error).name === 'TimeoutError')
        throw new UpstreamError('UPSTREAM_AUTH', upstream, {
          detail: `its token endpoint did not answer within ${timeout} ms`,
        })
      const cause = wireError(error as Error, upstream)
      if (cause instanceof UpstreamError && cause.code === 'RUNTIME_CLOSED') throw cause
      throw new UpstreamError('UPSTREAM_AUTH', upstream, {
        detail: 'the request to its token endpoint failed',
        cause: error,
      })
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Returns the error code of the endpoint's response (RFC 6749, section 5.2), for the log. Any other text is dropped.
 */
function refusalOf(text: string): Error | undefined {
  const { error } = (parsed(text) ?? {}) as { readonly error?: unknown }
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? new Error(error) : undefined
}
