import { test } from 'tap'
import { wireError } from '../../src/upstream/wire-errors.ts'

const named = (code: string, message = 'the upstream\'s own words') => Object.assign(new Error(message), { code })

test('what goes wrong on the wire has a name of ours, and its cause stays for the log', t => {
  for (const [code, expected] of [
    ['ECONNREFUSED', 'UPSTREAM_UNREACHABLE'], ['EAI_AGAIN', 'UPSTREAM_UNREACHABLE'], ['ETIMEDOUT', 'UPSTREAM_UNREACHABLE'], ['UND_ERR_CONNECT_TIMEOUT', 'UPSTREAM_UNREACHABLE'],
    ['EMFILE', 'LOCAL_RESOURCES'], ['EADDRNOTAVAIL', 'LOCAL_RESOURCES'],
    ['UND_ERR_HEADERS_OVERFLOW', 'UPSTREAM_PROTOCOL'], ['ERR_ASSERTION', 'UPSTREAM_PROTOCOL'],
    ['UND_ERR_DESTROYED', 'RUNTIME_CLOSED'],
    ['EPROTO', 'UPSTREAM_TLS'], ['CERT_HAS_EXPIRED', 'UPSTREAM_TLS'], ['ERR_TLS_CERT_ALTNAME_INVALID', 'UPSTREAM_TLS'], ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UPSTREAM_TLS'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'UPSTREAM_TLS'], ['DEPTH_ZERO_SELF_SIGNED_CERT', 'UPSTREAM_TLS'], ['HOSTNAME_MISMATCH', 'UPSTREAM_TLS'],
    ['ECONNRESET', 'UPSTREAM_RESET'], ['EPIPE', 'UPSTREAM_RESET'], ['UND_ERR_SOCKET', 'UPSTREAM_RESET'],
  ] as const) {
    const cause = named(code)
    const error = wireError(cause, 'cats')
    t.match(error, { name: 'UpstreamError', code: expected, source: 'cats', cause }, code)
    t.notMatch(error.message, cause.message)
  }
  t.end()
})

test('what was wrong with a socket is told by undici\'s words for it', t => {
  for (const message of ['bad response', 'bad upgrade']) t.match(wireError(named('UND_ERR_SOCKET', message), 'cats'), { code: 'UPSTREAM_PROTOCOL' })
  t.match(wireError(named('UND_ERR_SOCKET', 'other side closed'), 'cats'), { code: 'UPSTREAM_RESET' })
  t.end()
})

test('a bug of ours is no failure of an upstream', t => {
  for (const bug of [named('UND_ERR_INVALID_ARG'), named('UND_ERR_NOT_SUPPORTED'), new TypeError('x is undefined')]) t.equal(wireError(bug, 'cats'), bug)
  t.end()
})
