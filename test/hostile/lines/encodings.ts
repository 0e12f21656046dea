import { refused, type Line } from '../helpers/line.ts'

const broken = ['%', '%z', '%zz', '%2', '%%', '%2%', 'a%', '%u0041', '%-1', '%+1', '%0x41', '%g0']
const notUtf8 = ['%ff', '%fe', '%80', '%bf%bf', '%c3', '%c3%28', '%e2%82', '%f4%90%80%80', '%f5%80%80%80']
const overlong = ['%c0%ae', '%c0%ae%c0%ae%c0%af', '%c0%80', '%c1%9c', '%e0%80%ae', '%f0%80%80%ae', '%f8%80%80%80%ae']
const surrogates = ['%ed%a0%80', '%ed%bf%bf', '%ed%a0%bd%ed%b8%80']

const families = [
  ['broken percent-encoding', broken],
  ['bytes that are no UTF-8', notUtf8],
  ['overlong UTF-8', overlong],
  ['surrogates in UTF-8', surrogates],
] as const

const encoded: readonly Line[] = families.flatMap(([family, texts]) =>
  texts.flatMap(text => [
    refused(`${family} in a breed: ${text}`, { target: `/v1/breeds/${text}` }, '400 BAD_REQUEST'),
    refused(`${family} within a title: ~${text}~`, { target: `/v1/articles/~${text}~` }, '400 BAD_REQUEST'),
    refused(`${family} as a query value: ${text}`, { target: `/v1/cat-facts?count=${text}` }, '400 INPUT_INVALID'),
    refused(`${family} as a query name: ${text}`, { target: `/v1/cat-facts?${text}=1&count=1` }, '400 INPUT_INVALID'),
  ]),
)

const controls = ['\0', '\x01', '\x07', '\b', '\t', '\v', '\f', '\r', '\x1b', '\x7f', ' ']
const high = ['\x80', '\xa0', '\xc0\xae', '\xc3\xa9', '\xed\xa0\x80', '\xff']

const raw: readonly Line[] = [...controls, ...high].flatMap(text => [
  refused(`a bare byte in a breed: ${JSON.stringify(text)}`, { target: `/v1/breeds/a${text}b` }, '400 BAD_REQUEST'),
  refused(
    `a bare byte in a query: ${JSON.stringify(text)}`,
    { target: `/v1/cat-facts?count=1${text}1` },
    '400 BAD_REQUEST',
  ),
])

const blank = ['', '%20', '%09', '%0a', '%0d%0a', '%0b', '%c2%a0', '%e2%80%83', '%e2%80%a8', '%ef%bb%bf', '%20%20%09']

const blanks: readonly Line[] = [
  ...blank.map(text =>
    refused(`a breed of nothing but space: '${text}'`, { target: `/v1/breeds/${text}` }, '400 INPUT_INVALID'),
  ),
  refused('a title of nothing', { target: '/v1/articles/' }, '400 CALL_INPUT_INVALID'),
  refused('a breed of 61 letters', { target: `/v1/breeds/${'a'.repeat(61)}` }, '400 INPUT_INVALID'),
  refused('a breed of 10 KB', { target: `/v1/breeds/${'a'.repeat(10_240)}` }, '400 INPUT_INVALID'),
  refused(
    'a breed of 3 KB of encoded bytes',
    { target: `/v1/breeds/${'%F0%9F%90%88'.repeat(1000)}` },
    '400 INPUT_INVALID',
  ),
  refused('a title of 10 KB', { target: `/v1/articles/${'a'.repeat(10_240)}` }, '400 CALL_INPUT_INVALID'),
  refused('a target of 17 KB', { target: `/v1/breeds/${'a'.repeat(17_000)}` }, '431 HEADERS_TOO_LARGE'),
  refused('a query of 17 KB', { target: `/v1/cat-facts?count=${'1'.repeat(17_000)}` }, '431 HEADERS_TOO_LARGE'),
]

const injected = [
  '%00',
  'siamese%00',
  '%00siamese',
  'a%0d%0ax-injected:%201',
  'a%0d%0a%0d%0aGET%20%2fadmin%20HTTP%2f1.1',
  'a%0aset-cookie:%20a=b',
  '%ef%bf%bf',
  '%f0%9f%90%88',
  'a%e2%80%aeb',
  '%c4%8d%c4%8ax-injected:%201',
  'a%26limit=100',
  'a%26q=b',
  'a%23',
  'a%3fq=b',
  '%3cscript%3e',
  '%27%20OR%201=1--',
  '%24%7b7*7%7d',
  'a+b',
  '__proto__',
  'constructor',
  'toString',
]

/** Such a name is unknown, and is looked up as it is. */
const injections: readonly Line[] = injected.flatMap(text => [
  refused(`a breed that would be more: ${text}`, { target: `/v1/breeds/${text}` }, '404 REFUSED'),
  refused(
    `a title that would be more: ${text}`,
    { target: `/v1/articles/${text}` },
    text.includes('%00') ? '400 CALL_INPUT_INVALID' : '404 REFUSED',
  ),
])

/** Bytes and percent-encoding in paths and queries. */
export const encodings: readonly Line[] = [...encoded, ...raw, ...blanks, ...injections]
