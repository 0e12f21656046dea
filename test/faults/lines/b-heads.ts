import { secret } from '../../helpers/hostile-upstream.ts'
import type { Entry } from '../helpers/entry.ts'
import { brokenOff, reused, reusedAtOnce } from '../scenes/reuse.ts'
import { greets, says } from '../helpers/victim.ts'
import { answer, drip, good, pour } from '../helpers/wire.ts'

const hint = `HTTP/1.1 103 ${secret}\r\nlink: <${secret}>\r\n\r\n`
const bare = (head: string) => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}`

const short = { options: { attemptTimeout: 150 } } as const

/** Before and inside the head of an answer. */
export const heads: readonly Entry[] = [
  { no: 11, fault: 'takes the request and never answers', upstream: says(() => {}), code: 'UPSTREAM_TIMEOUT', required: 504, optional: 'fallback', attempts: 2, ...short, afterMs: 300, withinMs: 340, connectionsAfter: 0 },
  { no: 12, fault: 'closes a fresh connection without a byte, once it was asked', upstream: says(socket => socket.end()), code: 'UPSTREAM_RESET', required: 502, optional: 'fallback', attempts: 2, withinMs: 40, connectionsAfter: 0 },
  { no: 12, fault: 'closes a fresh connection before it was asked', upstream: greets(socket => socket.destroy()), code: 'UPSTREAM_UNREACHABLE', required: 502, optional: 'fallback', attempts: 2, withinMs: 40, connectionsAfter: 0 },
  { no: 13, fault: 'closes a connection it has kept as the next request comes', right: 'asked once more at once on a new connection, and not charged', play: reused },
  { no: 13, fault: 'closes all connections it has kept as all are wanted', right: 'each asked once more on a new connection', play: reusedAtOnce },
  { no: 14, fault: 'resets while the body of a POST is written', right: 'the outcome is unknown, and nothing is sent again', play: brokenOff },
  { no: 15, fault: 'resets within its head', upstream: says(socket => { socket.write(`HTTP/1.1 200 ${secret}\r\nx-secr`, () => socket.resetAndDestroy()) }), code: 'UPSTREAM_RESET', required: 502, optional: 'fallback', attempts: 2, withinMs: 40, connectionsAfter: 0 },
  { no: 16, fault: 'closes within its head', upstream: says(socket => socket.end(`HTTP/1.1 200 ${secret}\r\nx-secr`)), code: 'UPSTREAM_RESET', required: 502, optional: 'fallback', attempts: 2, withinMs: 40, connectionsAfter: 0 },
  { no: 17, fault: 'sends its head byte by byte', upstream: says(socket => drip(socket, `HTTP/1.1 200 OK\r\nx-secret: ${secret}`, 20)), code: 'UPSTREAM_TIMEOUT', required: 504, optional: 'fallback', attempts: 2, ...short, afterMs: 300, withinMs: 340, connectionsAfter: 0 },
  { no: 18, fault: 'a status line that is none', upstream: says(`${secret} this is no HTTP\r\n\r\n`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 18, fault: 'HTTP/0.9: a body and no head', upstream: says(socket => socket.end(`{"word":"${secret}"}`)), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 18, fault: 'the preface of HTTP/2', upstream: says(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 18, fault: 'a version of HTTP that is none', upstream: says(`HTTP/7.3 200 OK\r\ncontent-length: 2\r\n\r\n{}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  ...['0', '00', '99', '099', 'abc', '2000', '-200'].map((status): Entry => ({ no: 19, fault: `status ${status}`, upstream: says(`HTTP/1.1 ${status} ${secret}\r\ncontent-length: 2\r\n\r\n{}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 })),
  ...['600', '999'].map((status): Entry => ({ no: 19, fault: `status ${status}`, upstream: says(`HTTP/1.1 ${status} ${secret}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 1 })),
  { no: 20, fault: 'a head of 17 KiB', upstream: says(answer([`x-long: ${secret.repeat(1100)}`, 'content-length: 2'], '{}')), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 20, fault: 'a head without end', upstream: says(socket => pour(socket, bare(''), `x-more: ${secret.repeat(50)}\r\n`)), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 30, connectionsAfter: 0 },
  { no: 21, fault: '10,000 headers', upstream: says(answer(['content-length: 2', ...Array.from({ length: 10_000 }, () => 'a:b')], '{}')), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 30, connectionsAfter: 0 },
  // The size is the cap, so the number is bounded by it: names and values of 16 KiB at most.
  { no: 21, fault: '3,000 headers that are small enough together', upstream: says((socket, request) => socket.write(good(request, Array.from({ length: 3000 }, () => 'a:b')))), required: 200, optional: 'ok', withinMs: 30, connectionsAfter: 1 },
  ...([['NUL in a value', 'x-a: a\0b\r\n'], ['CR in a value', 'x-a: a\rb\r\n'], ['a space before the colon', 'x-a : b\r\n'], ['a folded line', 'x-a: b\r\n folded: c\r\n'], ['a header without a name', ': b\r\n'], ['a header without a colon', 'x-a\r\n']] as const).map(([fault, line]): Entry =>
    ({ no: 22, fault, upstream: says(`${bare(line)}content-length: 2\r\n\r\n{}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 })),
  { no: 22, fault: 'lines that end with LF alone', upstream: says(`${bare('content-length: 2\r\n\r\n{}').replaceAll('\r', '')}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  ...([['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n'], ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'], ['chunks and a length', 'transfer-encoding: chunked\r\ncontent-length: 2\r\n'], ['a negative length', 'content-length: -2\r\n'],
    ['a list of lengths', 'content-length: 2, 2\r\n'], ['the same length twice', 'content-length: 2\r\ncontent-length: 2\r\n'], ['a length that is no number', 'content-length: 0x2\r\n'], ['a length beyond all', 'content-length: 99999999999999999999\r\n']] as const).map(([fault, lines]): Entry =>
    ({ no: 23, fault, upstream: says(`${bare(lines)}\r\n{}`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 })),
  { no: 24, fault: '100 Continue to a request that asked for none', upstream: says((socket, request) => socket.write(Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), good(request)]))), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 25, fault: '103, and then 200', upstream: says((socket, request) => socket.write(Buffer.concat([Buffer.from(hint), good(request)]))), required: 200, optional: 'ok', withinMs: 20, connectionsAfter: 1 },
  { no: 26, fault: '103 without end', upstream: says(socket => pour(socket, '', hint.repeat(500))), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
  { no: 26, fault: '103 each 20 ms', upstream: says(socket => {
    const timer = setInterval(() => socket.write(hint), 20)
    socket.once('close', () => clearInterval(timer))
  }), code: 'UPSTREAM_TIMEOUT', required: 504, optional: 'fallback', attempts: 2, options: { attemptTimeout: 100 }, afterMs: 200, withinMs: 240, connectionsAfter: 0 },
  { no: 27, fault: '101 to a request that asked for no upgrade', upstream: says(`HTTP/1.1 101 ${secret}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x05hello`), code: 'UPSTREAM_PROTOCOL', required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 0 },
]
