import { UpstreamError, type ErrorCode } from '../../errors.ts'

const byCode: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'UPSTREAM_UNREACHABLE',
  ENOTFOUND: 'UPSTREAM_UNREACHABLE',
  EACCES: 'UPSTREAM_UNREACHABLE',
  EPERM: 'UPSTREAM_UNREACHABLE',
  EHOSTUNREACH: 'UPSTREAM_UNREACHABLE',
  EHOSTDOWN: 'UPSTREAM_UNREACHABLE',
  ENETUNREACH: 'UPSTREAM_UNREACHABLE',
  ENETDOWN: 'UPSTREAM_UNREACHABLE',
  ETIMEDOUT: 'UPSTREAM_UNREACHABLE',
  UND_ERR_CONNECT_TIMEOUT: 'UPSTREAM_UNREACHABLE',
  PROXY_REFUSED: 'UPSTREAM_UNREACHABLE',
  CONNECTION_UNUSABLE: 'UPSTREAM_UNREACHABLE',
  ADDRESS_REFUSED: 'ADDRESS_REFUSED',
  EMFILE: 'LOCAL_RESOURCES',
  ENFILE: 'LOCAL_RESOURCES',
  ENOBUFS: 'LOCAL_RESOURCES',
  EADDRNOTAVAIL: 'LOCAL_RESOURCES',
  UND_ERR_HEADERS_OVERFLOW: 'UPSTREAM_PROTOCOL',
  WIRE_OVERFLOW: 'UPSTREAM_PROTOCOL',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'UPSTREAM_PROTOCOL',
  UND_ERR_DESTROYED: 'RUNTIME_CLOSED',
  EPROTO: 'UPSTREAM_TLS',
}

/** Errors of connections that were being opened. */
const connectErrors = new WeakSet<Error>()

/** Marks an error as one of a connection that was being opened: nothing of a request was sent. */
export function whileConnecting<E extends Error>(error: E): E {
  connectErrors.add(error)
  return error
}

/**
 * Tells whether a failed request was never sent because no connection could be opened, so that it may be repeated
 * whatever it does.
 */
export function isUnsent(error: Error): boolean {
  return connectErrors.has(error) && codeOf(error) === 'UPSTREAM_UNREACHABLE'
}

/**
 * Fatal alerts by which a server refuses a client's handshake or certificate (RFC 8446, section 6.2):
 * handshake_failure, the six of certificates, access_denied, decrypt_error and certificate_required.
 */
const refusals = new Set([40, 42, 43, 44, 45, 46, 48, 49, 51, 116])

/**
 * Tells whether a server refused the handshake by a TLS alert. In TLS 1.3 the alert comes when the client has ended its
 * own handshake and may have sent a request, which the server has not read: it reads nothing before it has accepted the
 * certificate.
 */
export function isHandshakeRefusal({ code = '', message }: Error & { readonly code?: string }): boolean {
  return code.startsWith('ERR_SSL_') && refusals.has(Number(/\bSSL alert number (\d+)/.exec(message)?.[1]))
}

/** Names what went wrong on the wire; anything that is no wire error (a bug of ours) comes back as it is. */
export function wireError(error: Error & { readonly code?: string }, upstream: string): Error {
  const code = codeOf(error)
  return code === undefined ? error : new UpstreamError(code, upstream, { cause: error })
}

function codeOf(error: Error & { readonly code?: string }): ErrorCode | undefined {
  const { code = '', message } = error
  const known =
    (Object.hasOwn(byCode, code) ? byCode[code] : undefined) ??
    (code.startsWith('EAI_') ? 'UPSTREAM_UNREACHABLE' : undefined)
  if (known !== undefined) return known
  // undici's parser gives its errors a name and no code, and asserts that a status has three digits.
  if (error.name === 'HTTPParserError' || code === 'ERR_ASSERTION') return 'UPSTREAM_PROTOCOL'
  if (
    /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|ERROR_IN_)/.test(
      code,
    )
  )
    return 'UPSTREAM_TLS'
  if (code === 'UND_ERR_SOCKET' && (message === 'bad response' || message === 'bad upgrade')) return 'UPSTREAM_PROTOCOL'
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED' || code === '') return undefined
  return connectErrors.has(error) ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_RESET'
}
