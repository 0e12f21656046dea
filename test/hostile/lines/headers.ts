import { legal, refused, type Line } from '../helpers/line.ts'

const notTimes = [
  '',
  '-',
  '--5',
  '+5',
  '1.5',
  '1e3',
  '0x10',
  'NaN',
  'Infinity',
  'abc',
  '100ms',
  '100, 200',
  '1 000',
  '9999999999',
  '9'.repeat(400),
  '\xb2',
  '\xd9\xa3',
  'null',
  '[100]',
  '{}',
  '100;',
  '"100"',
  '1_000',
  '../1',
]

const notFaults = [
  'ninja',
  'ninja=',
  'ninja=drop=',
  'ninja=delay:-1',
  'ninja=delay:1e9',
  'ninja=delay:99999999999999999999',
  'ninja=fail:200',
  'ninja=fail:\xb2',
  'ninja=drop,ninja=drop',
  '__proto__=drop',
  'constructor=drop,toString=drop',
  'context=drop',
  '=drop',
  '<script>alert(1)</script>=drop',
  'x'.repeat(1025),
  'x=drop,'.repeat(21),
  '\xff\xfe=drop',
  '{"ninja":"drop"}',
  '%6eninja=drop',
  'ninja = drop',
  'ninja=drop;meow=drop',
]

const oddIds = [
  'two words',
  '<script>alert(1)</script>',
  'x'.repeat(129),
  'x'.repeat(8000),
  '"quoted"',
  '\xff\xfe',
  'a,b',
  '${7*7}',
  '../../etc/passwd',
  'a=b;c=d',
  '{}',
  '%0d%0ax-injected: 1',
  'a/b',
  "'; DROP TABLE cats",
  'id\\n',
]

/** Long texts by their beginning and length. */
const brief = (text: string) =>
  text.length > 40 ? `${JSON.stringify(text.slice(0, 20))}… (${text.length} bytes)` : JSON.stringify(text)

const badHeads: readonly (readonly [what: string, line: string])[] = [
  ['a NUL in a value', 'x-a: a\0b'],
  ['a NUL at the end of a value', 'x-a: a\0'],
  ['a NUL in a name', 'x\0a: a'],
  ['a bare CR in a value', 'x-a: a\rb'],
  ['a bare CR and more headers', 'x-a: a\rx-b: b'],
  ['a control character in a value', 'x-a: a\x01b'],
  ['a vertical tab in a value', 'x-a: a\vb'],
  ['an escape in a value', 'x-a: \x1b[31m'],
  ['DEL in a value', 'x-a: a\x7fb'],
  ['no colon', 'x-a'],
  ['no name', ': a'],
  ['a space before the colon', 'x-a : a'],
  ['a tab before the colon', 'x-a\t: a'],
  ['a space in a name', 'x a: a'],
  ['a folded line', 'x-a: a\r\n b'],
  ['a folded line with a tab', 'x-a: a\r\n\tb'],
  ['a space before the first name', ' x-a: a'],
  ['brackets in a name', 'x(a): a'],
  ['a quote in a name', '"x": a'],
  ['a slash in a name', 'x/a: a'],
  ['a byte above ASCII in a name', 'x\xe9: a'],
  ['an at sign in a name', 'x@a: a'],
  ['a request line for a header', 'GET /admin HTTP/1.1'],
  ['a status line for a header', 'HTTP/1.1 200 OK'],
  ['an LF that ends a line', 'x-a: a\nx-b: b'],
  ['a header that would end the head with LFs', 'x-a: a\n\nGET /admin HTTP/1.1'],
]

const large: readonly (readonly [what: string, lines: readonly string[]])[] = [
  ['a value of 17 KB', [`x-a: ${'a'.repeat(17_000)}`]],
  ['a value of 200 KB', [`x-a: ${'a'.repeat(200_000)}`]],
  ['a name of 17 KB', [`${'a'.repeat(17_000)}: a`]],
  ['a cookie of 17 KB', [`cookie: ${'a=b;'.repeat(4300)}`]],
  ['10,000 headers', Array.from({ length: 10_000 }, (_, index) => `x-${index}: a`)],
  ['10,000 headers of one name', Array.from({ length: 10_000 }, () => 'a: b')],
  ['two values of 9 KB', [`x-a: ${'a'.repeat(9000)}`, `x-b: ${'b'.repeat(9000)}`]],
]

const ignored: readonly (readonly [what: string, why: string, lines: readonly string[]])[] = [
  [
    'headers that name another URL',
    'they are not read',
    [
      'x-original-url: /admin',
      'x-rewrite-url: /admin',
      'x-forwarded-host: evil.example',
      'x-forwarded-proto: gopher',
      'forwarded: host=evil.example',
      'x-forwarded-for: 127.0.0.1',
      'x-forwarded-prefix: /..',
      'x-http-destinationurl: http://evil.example',
    ],
  ],
  ['a host that is none', 'all hosts are equal', ['x-host: a']],
  [
    'an upgrade to a websocket',
    'the service upgrades nothing (RFC 9110, section 7.8)',
    [
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-version: 13',
    ],
  ],
  [
    'an upgrade to HTTP/2',
    'the service upgrades nothing',
    ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAAA'],
  ],
  ['a range', 'an answer has no ranges', ['range: bytes=0-,0-,0-', 'if-range: "a"']],
  [
    'conditions',
    'an answer that is not kept has no tag',
    ['if-none-match: *', 'if-modified-since: never', 'if-match: "a"'],
  ],
  [
    'credentials of all kinds',
    'they are not read',
    ['authorization: Basic ====', 'proxy-authorization: a', `cookie: __proto__=1; ${'a=b; '.repeat(500)}`],
  ],
  ['300 headers', 'they are no more than may come', Array.from({ length: 300 }, (_, index) => `x-${index}:b`)],
  [
    'white space behind values',
    'it is not part of them (RFC 9112, section 5)',
    ['x-request-timeout-ms: 5000 \t', 'accept: application/json\t', 'x-request-id: abc '],
  ],
  ['bytes above ASCII in a value', 'a value may have them (RFC 9110, section 5.5)', ['x-a: \xe9\xff\x80']],
  [
    'names of a prototype',
    'they are names like others',
    ['__proto__: a', 'constructor: b', 'toString: c', 'hasownproperty: d'],
  ],
  [
    'connection: with names of headers',
    'no header is taken away here',
    ['connection: keep-alive, host, accept, x-request-id'],
  ],
  ['expect: 100-continue', 'the request goes on', ['expect: 100-continue']],
  [
    'two expectations',
    'one is met, and the other may be passed over (RFC 9110, section 10.1.1)',
    ['expect: 100-continue', 'expect: foo'],
  ],
  [
    'a traceparent that is none',
    'it is not taken over',
    ['traceparent: 00-zz-zz-zz', 'tracestate: ,,,=', 'baggage: \xff'],
  ],
  ['a list of faults without a fault', 'empty members are ignored', ['x-headwaters-fault: , ,\t,']],
  ['a deadline that is over', 'it counts as the shortest one', ['x-request-timeout-ms: -1']],
  ['a deadline with zeros before it', 'it is the same number', ['x-request-timeout-ms: 000005000']],
]

/** Header fields. */
export const headers: readonly Line[] = [
  ...notTimes.map(value =>
    refused(
      `x-request-timeout-ms: ${brief(value)}`,
      { headers: [`x-request-timeout-ms: ${value}`] },
      '400 INPUT_INVALID',
    ),
  ),
  ...notFaults.map(value =>
    refused(`x-headwaters-fault: ${brief(value)}`, { headers: [`x-headwaters-fault: ${value}`] }, '400 INPUT_INVALID'),
  ),
  refused(
    'two lists of faults for one step',
    { headers: ['x-headwaters-fault: ninja=drop', 'x-headwaters-fault: ninja=delay:1'] },
    '400 INPUT_INVALID',
  ),
  refused(
    'two deadlines',
    { headers: ['x-request-timeout-ms: 500', 'x-request-timeout-ms: 600'] },
    '400 INPUT_INVALID',
  ),
  ...oddIds.map(id =>
    refused(
      `x-request-id: ${brief(id)} where nothing is`,
      { target: '/nowhere', headers: [`x-request-id: ${id}`], hides: id },
      '404 NOT_FOUND',
    ),
  ),
  ...oddIds
    .slice(0, 5)
    .map(id =>
      refused(
        `x-request-id: ${brief(id)} with a bad query`,
        { target: '/v1/cat-facts?count=x', headers: [`x-request-id: ${id}`], hides: id },
        '400 INPUT_INVALID',
      ),
    ),
  refused(
    'two request ids',
    { target: '/nowhere', headers: ['x-request-id: first-9f2d', 'x-request-id: second-9f2d'], hides: '9f2d' },
    '404 NOT_FOUND',
  ),
  ...badHeads.map(([what, line]) => refused(what, { headers: [line] }, '400 BAD_REQUEST')),
  ...large.map(([what, lines]) => refused(what, { headers: lines }, '431 HEADERS_TOO_LARGE')),
  refused('an expectation that cannot be met', { headers: ['expect: foo'] }, '417 EXPECTATION_FAILED'),
  refused('an empty Expect', { headers: ['expect:'] }, '417 EXPECTATION_FAILED'),
  ...ignored.map(([what, why, lines]) => legal(what, why, { headers: lines })),
]
