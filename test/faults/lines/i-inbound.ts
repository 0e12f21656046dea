import { refused } from '../../hostile/helpers/line.ts'
import type { Entry } from '../helpers/entry.ts'
import { skipped, together, unread } from '../scenes/endless.ts'
import { distinct, headers, logs, paths, requests, slowly } from '../scenes/inbound.ts'
import { inward, rebound } from '../scenes/names.ts'

const start = 'GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\n'
const post = (lines: string) => `POST /v1/postcards HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${lines}`

const smuggling = [
  refused(
    'a length and chunks',
    { bytes: post('content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n') },
    '400 BAD_REQUEST',
  ),
  refused('two lengths', { bytes: post('content-length: 2\r\ncontent-length: 3\r\n\r\n{}a') }, '400 BAD_REQUEST'),
  refused('lines that end with LF alone', { bytes: start.replaceAll('\r', '') + '\n' }, '400 BAD_REQUEST'),
  refused('a space before the colon', { bytes: `${start}x-a : b\r\n\r\n` }, '400 BAD_REQUEST'),
  refused('a head of 17 KiB', { bytes: `${start}x-a: ${'b'.repeat(17 * 1024)}\r\n\r\n` }, '431 HEADERS_TOO_LARGE'),
  refused('two Hosts', { bytes: `${start}host: b\r\n\r\n` }, '400 BAD_REQUEST'),
  refused('two Hosts that are one', { bytes: `${start}Host: a\r\n\r\n` }, '400 BAD_REQUEST'),
  refused(
    'a transfer coding before chunked',
    { bytes: post('transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n') },
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused(
    'a transfer coding that is not chunked',
    { bytes: post('transfer-encoding: gzip\r\n\r\n{}') },
    '400 BAD_REQUEST',
  ),
  refused('no Host', { bytes: 'GET /v1/cat-facts HTTP/1.1\r\n\r\n' }, '400 BAD_REQUEST'),
]

const bodies = [
  refused(
    'percent-encoding that is none in a path',
    { target: '/v1/breeds/%zz' },
    '400 BAD_REQUEST',
    '400 INPUT_INVALID',
  ),
  refused('percent-encoding that is none in a query', { target: '/v1/cat-facts?count=%zz' }, '400 INPUT_INVALID'),
  refused('NUL in a target', { bytes: `GET /v1/cat\0facts HTTP/1.1\r\nhost: a\r\n\r\n` }, '400 BAD_REQUEST'),
  refused('bad JSON', { body: '{"greeting":' }, '400 BAD_REQUEST'),
  refused('__proto__', { body: '{"__proto__":{"a":1},"greeting":"a","breeds":["siam"]}' }, '400 BAD_REQUEST'),
  refused(
    'a constructor with a prototype',
    { body: '{"constructor":{"prototype":{"a":1}},"greeting":"a","breeds":["siam"]}' },
    '400 BAD_REQUEST',
  ),
  refused(
    'a body that is no UTF-8',
    { body: Buffer.from('{"greeting":"\xff","breeds":["siam"]}', 'latin1') },
    '400 BAD_REQUEST',
  ),
  refused(
    'a body of more than 1 MiB',
    { body: `{"greeting":"${'a'.repeat(2 ** 20)}","breeds":["siam"]}` },
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused(
    'a body of another type',
    { body: '<a/>', headers: ['content-type: text/xml'] },
    '415 UNSUPPORTED_MEDIA_TYPE',
  ),
  refused('an expectation that cannot be met', { headers: ['expect: foo'] }, '417 EXPECTATION_FAILED'),
]

/** What callers do. */
export const inbound: readonly Entry[] = [
  { no: 98, fault: 'heads and bodies that never end', right: 'cut in time, and no upstream is asked', play: slowly },
  {
    no: 99,
    fault: 'requests that could be read in two ways',
    right: 'refused, and the connection closed',
    play: requests(smuggling),
  },
  {
    no: 100,
    fault: 'paths and bodies that cannot be read',
    right: 'refused, each with its status',
    play: requests(bodies),
  },
  { no: 101, fault: 'a path parameter that is more than a name', right: 'one segment, or refused', play: paths },
  {
    no: 102,
    fault: "headers that are none of the upstream's business",
    right: 'only what is allowed goes out',
    play: headers,
  },
  {
    no: 103,
    fault: 'a public upstream at an address that is not',
    right: 'refused before it is dialled',
    play: inward,
  },
  { no: 104, fault: 'a name that turns inward', right: 'each dial looks at every address', play: rebound },
  { no: 105, fault: 'thousands of places that are asked for once', right: 'nothing grows by them', play: distinct },
  {
    no: 106,
    fault: 'secrets, and lines of a log, in what a caller and an upstream say',
    right: 'not in the log, or as text within one line',
    play: logs,
  },
  {
    no: 107,
    fault: 'endless bodies of requests that are answered without them',
    right: 'answered once, and closed after a bounded number of bytes',
    play: unread,
  },
  { no: 108, fault: 'endless bytes that the parser skips', right: 'refused, and the connection closed', play: skipped },
  {
    no: 109,
    fault: 'many bodies that do not end',
    right: 'refused from their common limit on, and other bodies are accepted',
    play: together,
  },
]
