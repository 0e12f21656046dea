import { test } from 'tap'
import { isHandshakeRefusal, markConnectError, wireError } from '../../../src/upstream/connect/wire-errors.ts'

const named = (code: string, message = "the upstream's own words") => Object.assign(new Error(message), { code })

test('a wire error has a code of the service, and its cause is kept for the log', t => {
  for (const [code, expected] of [
    ['ECONNREFUSED', 'UPSTREAM_UNREACHABLE'],
    ['EAI_AGAIN', 'UPSTREAM_UNREACHABLE'],
    ['ETIMEDOUT', 'UPSTREAM_UNREACHABLE'],
    ['UND_ERR_CONNECT_TIMEOUT', 'UPSTREAM_UNREACHABLE'],
    ['EMFILE', 'LOCAL_RESOURCES'],
    ['EADDRNOTAVAIL', 'LOCAL_RESOURCES'],
    ['UND_ERR_HEADERS_OVERFLOW', 'UPSTREAM_PROTOCOL'],
    ['ERR_ASSERTION', 'UPSTREAM_PROTOCOL'],
    ['UND_ERR_DESTROYED', 'RUNTIME_CLOSED'],
    ['EPROTO', 'UPSTREAM_TLS'],
    ['CERT_HAS_EXPIRED', 'UPSTREAM_TLS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'UPSTREAM_TLS'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UPSTREAM_TLS'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'UPSTREAM_TLS'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UPSTREAM_TLS'],
    ['HOSTNAME_MISMATCH', 'UPSTREAM_TLS'],
    ['ECONNRESET', 'UPSTREAM_RESET'],
    ['EPIPE', 'UPSTREAM_RESET'],
    ['UND_ERR_SOCKET', 'UPSTREAM_RESET'],
  ] as const) {
    const cause = named(code)
    const error = wireError(cause, 'cats')
    t.match(error, { name: 'UpstreamError', code: expected, source: 'cats', cause }, code)
    t.notMatch(error.message, cause.message)
  }
  t.end()
})

test('errors of a socket get their code from the error codes of undici', t => {
  for (const message of ['bad response', 'bad upgrade'])
    t.match(wireError(named('UND_ERR_SOCKET', message), 'cats'), { code: 'UPSTREAM_PROTOCOL' })
  t.match(wireError(named('UND_ERR_SOCKET', 'other side closed'), 'cats'), { code: 'UPSTREAM_RESET' })
  t.end()
})

test('an internal error is not a failure of the upstream', t => {
  for (const bug of [named('UND_ERR_INVALID_ARG'), named('UND_ERR_NOT_SUPPORTED'), new TypeError('x is undefined')])
    t.equal(wireError(bug, 'cats'), bug)
  t.end()
})

test('a failure while a connection is opened has the code UPSTREAM_UNREACHABLE', t => {
  for (const code of [
    'ECONNRESET',
    'EPIPE',
    'ECONNABORTED',
    'ERR_INVALID_IP_ADDRESS',
    'PROXY_REFUSED',
    'ETIMEDOUT',
    'ERR_SOCKET_CLOSED',
  ]) {
    t.match(wireError(markConnectError(named(code)), 'cats'), { code: 'UPSTREAM_UNREACHABLE', retryable: true }, code)
  }
  t.end()
})

test('a failure of TLS, of this machine or of the address is the same while connecting', t => {
  for (const [code, expected] of [
    ['CERT_HAS_EXPIRED', 'UPSTREAM_TLS'],
    ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'UPSTREAM_TLS'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'UPSTREAM_TLS'],
    ['EPROTO', 'UPSTREAM_TLS'],
    ['EMFILE', 'LOCAL_RESOURCES'],
    ['ADDRESS_REFUSED', 'ADDRESS_REFUSED'],
    ['UND_ERR_DESTROYED', 'RUNTIME_CLOSED'],
  ] as const)
    t.match(wireError(markConnectError(named(code)), 'cats'), { code: expected, retryable: false }, code)
  const bug = markConnectError(new TypeError('x is undefined'))
  t.equal(wireError(bug, 'cats'), bug, 'and a bug is a bug')
  t.end()
})

test('TLS alerts that refuse a handshake are distinguished from alerts that end a connection', t => {
  const alert = (number: number) =>
    named(
      'ERR_SSL_TLSV13_ALERT',
      `error:0A00045C:SSL routines:ssl3_read_bytes:an alert:../ssl/record/rec_layer_s3.c:918:SSL alert number ${number}\n`,
    )
  for (const number of [40, 42, 43, 44, 45, 46, 48, 49, 51, 116])
    t.ok(isHandshakeRefusal(alert(number)), String(number))
  for (const number of [0, 10, 20, 22, 47, 50, 80, 90, 110]) t.notOk(isHandshakeRefusal(alert(number)), String(number))
  t.notOk(isHandshakeRefusal(named('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC')))
  t.notOk(isHandshakeRefusal(named('ECONNRESET', 'SSL alert number 42')))
  t.notOk(isHandshakeRefusal(new Error('SSL alert number 42')))
  t.end()
})
