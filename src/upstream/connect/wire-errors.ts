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

const connectErrors = new WeakSet<Error>()

/** Marks an error that occurred while a connection was opened: no byte of a request was sent. */
export function markConnectError<E extends Error>(error: E): E {
  connectErrors.add(error)
  return error
}

/**
 * Returns whether a request failed before it was sent, because no connection could be opened. Such a request can be
 * repeated even if it is unsafe.
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
 * Returns whether a server refused the handshake by a TLS alert. In TLS 1.3 the alert can arrive after the client has
 * ended its handshake and sent a request. The server has not read that request: it accepts the certificate first.
 */
export function isHandshakeRefusal({ code = '', message }: Error & { readonly code?: string }): boolean {
  return code.startsWith('ERR_SSL_') && refusals.has(Number(/\bSSL alert number (\d+)/.exec(message)?.[1]))
}

/** Maps an error of undici or of a socket to an `UpstreamError`. Returns any other error, such as a bug, unchanged. */
export function wireError(error: Error & { readonly code?: string }, upstream: string): Error {
  const code = codeOf(error)
  if (code === undefined) return error
  if (error.code === 'UND_ERR_HEADERS_OVERFLOW')
    return new UpstreamError(code, upstream, { cause: error, detail: 'its headers are too large' })
  return new UpstreamError(code, upstream, { cause: error })
}

/** The codes of TLS errors in Node.js and OpenSSL. */
const tlsCode =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|ERROR_IN_)/

function codeOf(error: Error & { readonly code?: string }): ErrorCode | undefined {
  const { code = '', message } = error
  const mapped =
    (Object.hasOwn(byCode, code) ? byCode[code] : undefined) ??
    (code.startsWith('EAI_') ? 'UPSTREAM_UNREACHABLE' : undefined)
  if (mapped !== undefined) return mapped
  // undici's parser gives its errors a name and no code. It asserts that a status has three digits.
  if (error.name === 'HTTPParserError' || code === 'ERR_ASSERTION') return 'UPSTREAM_PROTOCOL'
  if (tlsCode.test(code)) return 'UPSTREAM_TLS'
  if (code === 'UND_ERR_SOCKET' && (message === 'bad response' || message === 'bad upgrade')) return 'UPSTREAM_PROTOCOL'
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED' || code === '') return undefined
  return connectErrors.has(error) ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_RESET'
}
