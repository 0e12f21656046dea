import { legal, refused, type Line, type LineOptions } from '../helpers/line.ts'

const order = '{"greeting":"Hello","breeds":["siam"]}'
const json = 'content-type: application/json'
const chunk = `${order.length.toString(16)}\r\n${order}\r\n`
const rubbish = 'GET /admin HTTP/1.1\r\nhost: a\r\n\r\n'

/** A POST whose framing is written by hand. */
const post = (headers: readonly string[], rest: string, more: LineOptions = {}): LineOptions => ({
  method: 'POST',
  target: '/v1/postcards',
  headers: [json, ...headers],
  rest,
  ...more,
})
const chunked = (rest: string, more?: LineOptions) => post(['transfer-encoding: chunked'], rest, more)

const lengths = [
  '-1',
  '+2',
  '2,2',
  '2, 3',
  '0x2',
  '2 2',
  '1e1',
  '',
  ' ',
  '99999999999999999999',
  '18446744073709551618',
  'abc',
  '2.0',
  '2;',
  '\xb2',
  '2\0',
  '--2',
  '"2"',
]
const codings = [
  'gzip',
  'identity',
  'xchunked',
  'chunked, identity',
  'chunked, gzip',
  'chunked;q=1',
  '"chunked"',
  'chunked\0',
  '\vchunked',
  'chunkedx',
  'cow',
]
const sizes = ['zz', '', '-2', '+2', '0x2', ' 2', '2.0', 'ffffffffffffffffff', '2g', '\0', '2\n{}', '%32']

const lies: readonly Line[] = [
  ...lengths.map(length =>
    refused(`content-length: ${JSON.stringify(length)}`, post([`content-length: ${length}`], '{}'), '400 BAD_REQUEST'),
  ),
  ...codings.map(coding =>
    refused(
      `transfer-encoding: ${JSON.stringify(coding)}`,
      post([`transfer-encoding: ${coding}`], `${chunk}0\r\n\r\n`),
      '400 BAD_REQUEST',
    ),
  ),
  ...sizes.map(size =>
    refused(`a chunk of size ${JSON.stringify(size)}`, chunked(`${size}\r\n{}\r\n0\r\n\r\n`), '400 BAD_REQUEST'),
  ),
  refused('two lengths', post(['content-length: 2', 'content-length: 3'], '{}a'), '400 BAD_REQUEST'),
  refused('two lengths, the same', post(['content-length: 2', 'content-length: 2'], '{}'), '400 BAD_REQUEST'),
  refused(
    'a length and chunks',
    post(['content-length: 5', 'transfer-encoding: chunked'], `0\r\n\r\n${rubbish}`),
    '400 BAD_REQUEST',
  ),
  refused(
    'chunks and a length',
    post(['transfer-encoding: chunked', 'content-length: 5'], `0\r\n\r\n${rubbish}`),
    '400 BAD_REQUEST',
  ),
  refused(
    'a length and chunks on GET',
    { headers: ['content-length: 5', 'transfer-encoding: chunked'], rest: '0\r\n\r\n' },
    '400 BAD_REQUEST',
  ),
  refused(
    'two transfer-encodings',
    post(['transfer-encoding: chunked', 'transfer-encoding: identity'], '0\r\n\r\n'),
    '400 BAD_REQUEST',
  ),
  ...['gzip, chunked', 'x, chunked', ', chunked', 'identity,chunked', 'gzip, deflate , Chunked'].map(coding =>
    refused(
      `transfer-encoding: ${JSON.stringify(coding)}`,
      post([`transfer-encoding: ${coding}`], `${chunk}0\r\n\r\n`),
      '501 TRANSFER_ENCODING_UNSUPPORTED',
    ),
  ),
  refused(
    'a coding in two lines',
    post(['transfer-encoding: gzip', 'transfer-encoding: chunked'], `${chunk}0\r\n\r\n`),
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused(
    'a coding where nothing is',
    { ...post(['transfer-encoding: gzip, chunked'], `${chunk}0\r\n\r\n`), target: '/nowhere' },
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused(
    'a coding of GET',
    { headers: ['transfer-encoding: gzip, chunked'], rest: '0\r\n\r\n' },
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused(
    'chunked twice',
    post(['transfer-encoding: chunked, chunked'], `${chunk}0\r\n\r\n`),
    '400 BAD_REQUEST',
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused(
    'HTTP/1.0 with a coding',
    {
      ...post(['connection: keep-alive', 'transfer-encoding: gzip, chunked'], `${chunk}0\r\n\r\n`),
      version: 'HTTP/1.0',
    },
    '501 TRANSFER_ENCODING_UNSUPPORTED',
  ),
  refused('a length of 20 GB', post(['content-length: 20000000000'], '{}'), '413 PAYLOAD_TOO_LARGE'),
  refused(
    'a length of 20 GB at a path where nothing is',
    { ...post(['content-length: 20000000000'], '{}'), target: '/nowhere', ends: true },
    '404 NOT_FOUND',
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused(
    'a length of 20 GB and 100-continue',
    post(['content-length: 20000000000', 'expect: 100-continue'], ''),
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused('chunks of 2 MiB', chunked(`200000\r\n${' '.repeat(0x200000)}\r\n0\r\n\r\n`), '413 PAYLOAD_TOO_LARGE'),
  refused(
    '100,000 chunks of one byte that are no JSON',
    chunked('1\r\nx\r\n'.repeat(100_000) + '0\r\n\r\n'),
    '400 BAD_REQUEST',
  ),
  refused('a chunk longer than it says', chunked('2\r\n{}}}}}\r\n0\r\n\r\n'), '400 BAD_REQUEST'),
  refused(
    'a chunk extension of 20 KB',
    chunked(`2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`),
    '400 BAD_REQUEST',
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused('trailers of 20 KB', chunked(`${chunk}0\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`), '431 HEADERS_TOO_LARGE'),
  refused('a trailer that is none', chunked(`${chunk}0\r\nx a\r\n\r\n`), '400 BAD_REQUEST'),
  refused('bad chunks on GET', { headers: ['transfer-encoding: chunked'], rest: 'zz\r\n\r\n' }, '400 BAD_REQUEST'),
  refused(
    'a body longer than it says',
    post(['content-length: 2'], '{}xxxxxx', { ends: true }),
    '400 INPUT_INVALID',
    '400 BAD_REQUEST',
  ),
]

const halves: readonly Line[] = [
  refused('a body that ends early', post(['content-length: 100'], '{}', { ends: true }), '400 BAD_REQUEST'),
  refused('chunks that end early', chunked('a\r\n{}', { ends: true }), '400 BAD_REQUEST'),
  refused('chunks without a last one', chunked(chunk, { ends: true }), '400 BAD_REQUEST'),
  refused(
    'a head that ends early',
    { bytes: 'GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\n', ends: true },
    '400 BAD_REQUEST',
  ),
  refused('a request line that ends early', { bytes: 'GET /v1/cat-facts HT', ends: true }, '400 BAD_REQUEST'),
  refused('a method that ends early', { bytes: 'GE', ends: true }, '400 BAD_REQUEST'),
]

const versions = [
  'http/1.1',
  'HTTP/1.2',
  'HTTP/1.10',
  'HTTP/9.9',
  'HTTP/0.8',
  'HTTP/3.0',
  'HTTP/1',
  'HTTP/1.',
  'HTTP/.1',
  'HTTP/1.1 ',
  'HTTP/1.1x',
  'HTTP/-1.1',
  'HTTP',
  'HTTPS/1.1',
  'ICE/1.0x',
  'HTTP 1.1',
  'HTTP/1,1',
  'HTTP/1.1\0',
  '\tHTTP/1.1',
]

const lines: readonly Line[] = [
  ...versions.map(version => refused(`a protocol of ${JSON.stringify(version)}`, { version }, '400 BAD_REQUEST')),
  refused('no Host', 'GET /v1/cat-facts HTTP/1.1\r\n\r\n', '400 BAD_REQUEST'),
  refused('no Host where nothing is', 'GET /nowhere HTTP/1.1\r\n\r\n', '400 BAD_REQUEST'),
  refused('two Hosts', { headers: ['host: evil.example'] }, '400 BAD_REQUEST'),
  refused('two Hosts, the same', { headers: ['host: 127.0.0.1'] }, '400 BAD_REQUEST'),
  refused('two Hosts where nothing is', { target: '/nowhere', headers: ['HOST: evil.example'] }, '400 BAD_REQUEST'),
  refused(
    'two Hosts with a target in absolute form',
    { target: 'http://evil.example/v1/cat-facts', headers: ['host: evil.example'] },
    '400 BAD_REQUEST',
  ),
  refused('two Hosts of HTTP/1.0', { version: 'HTTP/1.0', headers: ['host: evil.example'] }, '400 BAD_REQUEST'),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', '400 BAD_REQUEST'),
  refused('a greeting of TLS', '\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03', '400 BAD_REQUEST'),
  refused('SSH', 'SSH-2.0-OpenSSH_9.0\r\n', '400 BAD_REQUEST'),
  refused('SMTP', 'EHLO evil.example\r\n', '400 BAD_REQUEST'),
  refused('Redis', '*1\r\n$4\r\nPING\r\n', '400 BAD_REQUEST'),
  refused('an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', '400 BAD_REQUEST'),
  refused('1 KB of NUL', '\0'.repeat(1024), '400 BAD_REQUEST'),
  refused('1 MB of one letter', 'A'.repeat(1_000_000), '400 BAD_REQUEST'),
  refused('JSON for a request', '{"method":"GET"}\r\n\r\n', '400 BAD_REQUEST'),
  refused('line ends of LF only', 'GET /v1/cat-facts HTTP/1.1\nhost: a\n\n', '400 BAD_REQUEST'),
  refused('line ends of CR only', 'GET /v1/cat-facts HTTP/1.1\rhost: a\r\r', '400 BAD_REQUEST'),
  refused('spaces before the method', '  GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\n\r\n', '400 BAD_REQUEST'),
  refused('a tab between the parts of a line', 'GET\t/v1/cat-facts\tHTTP/1.1\r\nhost: a\r\n\r\n', '400 BAD_REQUEST'),
  refused('two targets', { target: '/v1/cat-facts /admin' }, '400 BAD_REQUEST'),
  refused('a CR and LF in the target', { target: '/nowhere\r\nx-injected: 1' }, '404 NOT_FOUND', '400 BAD_REQUEST'),
  refused('HTTP/1.0 where nothing is', { version: 'HTTP/1.0', target: '/nowhere' }, '404 NOT_FOUND'),
  refused('HTTP/1.0 with a bad query', { version: 'HTTP/1.0', target: '/v1/cat-facts?count=x' }, '400 INPUT_INVALID'),
  refused(
    'HTTP/1.0 that would be kept',
    { version: 'HTTP/1.0', target: '/nowhere', headers: ['connection: keep-alive'] },
    '404 NOT_FOUND',
  ),
  refused('HTTP/0.9', 'GET /v1/cat-facts\r\n\r\n', '400 BAD_REQUEST'),
]

const pipelines: readonly Line[] = [
  ['bytes that are no HTTP', 'rubbish\r\n\r\n', '400 BAD_REQUEST'],
  ['NUL', '\0\0\0\0', '400 BAD_REQUEST'],
  ['a request without a Host', 'GET /v1/cat-facts HTTP/1.1\r\n\r\n', '400 BAD_REQUEST'],
  [
    'a request with two lengths',
    'POST /v1/postcards HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na',
    '400 BAD_REQUEST',
  ],
  ['a path where nothing is', 'GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n', '404 NOT_FOUND'],
  ['a wrong method', 'DELETE /v1/cat-facts HTTP/1.1\r\nhost: a\r\n\r\n', '405 METHOD_NOT_ALLOWED'],
  ['a bad query', 'GET /v1/cat-facts?count=x HTTP/1.1\r\nhost: a\r\n\r\n', '400 INPUT_INVALID'],
  ['a head too large', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, '431 HEADERS_TOO_LARGE'],
].map(([what, rest, expect]) =>
  refused(
    `after a good request, ${what as string}`,
    { target: '/health/live', rest: rest as string, before: 1 },
    expect as '400 BAD_REQUEST',
  ),
)

/** The good request is still being answered when they come. */
const underWay: readonly Line[] = [
  refused(
    'while a good request is answered, an expectation that cannot be met',
    { rest: 'GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\nexpect: foo\r\n\r\n', before: 1 },
    '417 EXPECTATION_FAILED',
  ),
  refused(
    'while a good request is answered, a bad query',
    { rest: 'GET /v1/cat-facts?count=x HTTP/1.1\r\nhost: a\r\n\r\n', before: 1 },
    '400 INPUT_INVALID',
  ),
  refused(
    'while a good request is answered, two Hosts',
    { rest: 'GET /v1/cat-facts HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', before: 1 },
    '400 BAD_REQUEST',
  ),
]

const fine: readonly Line[] = [
  legal('HTTP/1.0 without a Host', 'it needs none', 'GET /v1/cat-facts HTTP/1.0\r\n\r\n'),
  legal('HTTP/1.0', 'it is an older HTTP/1', { version: 'HTTP/1.0' }),
  legal('HTTP/2.0 in a request line', 'Node reads it as HTTP/1', { version: 'HTTP/2.0' }, '200', '400 BAD_REQUEST'),
  legal(
    'empty lines before the request',
    'a server passes over them (RFC 9112, section 2.2)',
    '\r\n\r\n\r\nGET /v1/cat-facts HTTP/1.1\r\nhost: a\r\n\r\n',
  ),
  legal('an empty Host', 'it is one', 'GET /v1/cat-facts HTTP/1.1\r\nhost:\r\n\r\n', '200', '400 BAD_REQUEST'),
  legal(
    'a Host that is none',
    'all hosts are equal',
    'GET /v1/cat-facts HTTP/1.1\r\nhost: ../../@evil.example:99999\r\n\r\n',
    '200',
    '400 BAD_REQUEST',
  ),
  legal(
    'chunks in capital letters',
    'names of codings have no case',
    post(['transfer-encoding: CHUNKED'], `${chunk}0\r\n\r\n`),
  ),
  legal('HTTP/1.0 with chunks', 'it is read, and the connection closed (RFC 9112, section 6.1)', {
    ...post(['connection: keep-alive', 'transfer-encoding: chunked'], `${chunk}0\r\n\r\n`),
    version: 'HTTP/1.0',
  }),
  legal('chunks', 'it is a body', chunked(`${chunk}0\r\n\r\n`)),
  legal(
    'chunks of one byte with extensions and trailers',
    'they are allowed and ignored (RFC 9112, section 7.1)',
    chunked(`${Array.from(order, letter => `1;a=b\r\n${letter}\r\n`).join('')}0\r\nx-injected: 1\r\n\r\n`),
  ),
  legal('a length with zeros before it', 'it is the same number', post([`content-length: 0000${order.length}`], order)),
]

/** Framing: lengths, chunks, protocols, line ends, pipelines. */
export const framings: readonly Line[] = [...lies, ...halves, ...lines, ...pipelines, ...underWay, ...fine]
