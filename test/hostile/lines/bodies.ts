import { gzipSync } from 'node:zlib'
import { legal, refused, type Line, type LineOptions } from '../helpers/line.ts'

const order = '{"greeting":"Hello","breeds":["siam"]}'
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const objects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
const hex = (text: string) => Buffer.from(text, 'hex')
const utf16 = Buffer.from(`\ufeff${order}`, 'utf16le')

const noJson: readonly (readonly [what: string, body: string | Buffer])[] = [
  ['half an object', '{"greeting":'],
  ['one brace', '{'],
  ['a brace too many', `${order}}`],
  ['two values', `${order}${order}`],
  ['a comma at the end', '{"greeting":"a","breeds":["siam"],}'],
  ['a comment', `/* a */ ${order}`],
  ['single quotes', "{'greeting':'a'}"],
  ['names without quotes', '{greeting:"a"}'],
  ['NaN', '{"greeting":NaN}'],
  ['Infinity', '{"greeting":Infinity}'],
  ['undefined', 'undefined'],
  ['a hexadecimal number', '{"greeting":0x10}'],
  ['a bare line break in a text', '{"greeting":"a\nb"}'],
  ['a bare NUL in a text', '{"greeting":"a\0b"}'],
  ['a bad escape', '{"greeting":"\\x41"}'],
  ['half an escape', '{"greeting":"\\u12"}'],
  ['a form', 'greeting=a&breeds=siam'],
  ['XML', '<greeting/>'],
  ['a space and no more', ' '],
  ['NUL', '\0'],
  ['a NUL after it', `${order}\0`],
  ['10,000 levels that are not closed', '['.repeat(10_000)],
  ['10,000 objects that are not closed', '{"a":'.repeat(10_000)],
  ['a prototype', `{"__proto__":{"a":1},"greeting":"a","breeds":["siam"]}`],
  ['a prototype written with escapes', '{"\\u005f_proto__":{"a":1},"greeting":"a","breeds":["siam"]}'],
  ['a prototype deep inside', '{"greeting":"a","breeds":["siam"],"more":[{"__proto__":null}]}'],
  ['a constructor with a prototype', '{"greeting":"a","breeds":["siam"],"constructor":{"prototype":{"a":1}}}'],
  [
    'a byte that is no UTF-8',
    Buffer.concat([Buffer.from('{"greeting":"'), hex('ff'), Buffer.from('","breeds":["siam"]}')]),
  ],
  ['overlong UTF-8', Buffer.concat([Buffer.from('{"greeting":"'), hex('c0ae'), Buffer.from('","breeds":["siam"]}')])],
  [
    'a surrogate in UTF-8',
    Buffer.concat([Buffer.from('{"greeting":"'), hex('eda080'), Buffer.from('","breeds":["siam"]}')]),
  ],
  ['UTF-16', utf16],
  ['UTF-16 of the other order', Buffer.from(utf16).swap16()],
  ['half a character', Buffer.concat([Buffer.from('{"greeting":"'), hex('f09f90')])],
]

const noOrder: readonly (readonly [what: string, body: string])[] = [
  ['nothing', ''],
  ['null', 'null'],
  ['true', 'true'],
  ['a number', '1'],
  ['a number beyond all', '1e999'],
  ['a text', '"a"'],
  ['a list', '[]'],
  ['a list of orders', `[${order}]`],
  ['an empty object', '{}'],
  ['no breeds', '{"greeting":"a"}'],
  ['a number for a greeting', '{"greeting":1,"breeds":["siam"]}'],
  ['a list for a greeting', '{"greeting":["a"],"breeds":["siam"]}'],
  ['an object for a greeting', '{"greeting":{"toString":"a"},"breeds":["siam"]}'],
  ['null for a greeting', '{"greeting":null,"breeds":["siam"]}'],
  ['a blank greeting', '{"greeting":" \\u3000 ","breeds":["siam"]}'],
  ['a greeting of 201 letters', `{"greeting":"${'a'.repeat(201)}","breeds":["siam"]}`],
  ['a greeting of 900 KB', `{"greeting":"${'a'.repeat(900_000)}","breeds":["siam"]}`],
  ['no breed in the list', '{"greeting":"a","breeds":[]}'],
  ['six breeds', '{"greeting":"a","breeds":["siam","siam","siam","siam","siam","siam"]}'],
  ['99,998 breeds', `{"greeting":"a","breeds":[${Array.from({ length: 99_998 }, () => '1').join()}]}`],
  ['a text for breeds', '{"greeting":"a","breeds":"siam"}'],
  ['an object for breeds', '{"greeting":"a","breeds":{"0":"siam","length":1}}'],
  ['numbers for breeds', '{"greeting":"a","breeds":[1]}'],
  ['a breed that climbs', '{"greeting":"a","breeds":["../.."]}'],
  ['a breed with more behind it', '{"greeting":"a","breeds":["siam&limit=10"]}'],
  ['a breed with a line break', '{"greeting":"a","breeds":["siam\\n"]}'],
  ['a breed in large letters', '{"greeting":"a","breeds":["SIAM"]}'],
  ['a breed of wide letters', '{"greeting":"a","breeds":["\\uff53\\uff49\\uff41\\uff4d"]}'],
  ['breeds in breeds', '{"greeting":"a","breeds":[["siam"]]}'],
  ['a greeting 100,000 levels deep', `{"greeting":${nested(100_000)},"breeds":["siam"]}`],
  ['breeds 100,000 levels deep', `{"greeting":"a","breeds":${nested(100_000)}}`],
  ['objects 100,000 levels deep', objects(100_000)],
  ['lists 100,000 levels deep', nested(100_000)],
  ['an unknown name 500,000 levels deep', `{"greeting":"a","breeds":["siam"],"more":${nested(500_000)}}`],
  ['1,000,000 levels that are not closed', '['.repeat(1_000_000)],
  ['200,000 objects that are not closed', '{"a":'.repeat(200_000)],
  ['a name twice, the last one wrong', '{"greeting":"a","breeds":["siam"],"greeting":1}'],
  ['a number for the name', '{"1":"a"}'],
  ['10,000 names', `{${Array.from({ length: 10_000 }, (_, index) => `"a${index}":1`).join()}}`],
]

const types = [
  'text/plain',
  'text/html',
  'text/json',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=a',
  'multipart/form-data',
  'application/octet-stream',
  'application/javascript',
  'application/x-ndjson',
  'application/jsonp',
  'application/jsonx',
  'application/json/x',
  'application/',
  'application',
  'json',
  '/json',
  '/',
  '*/*',
  'application/*',
  ';charset=utf-8',
  'application /json',
  'application/ json',
  'application/json, text/plain',
  'application/json\xff',
  'null',
  '__proto__',
  'application/problem',
  'a'.repeat(8000),
  '',
]

const typed = (type: string): LineOptions => ({ body: order, headers: [`content-type: ${type}`] })
const coded = (coding: string, body: string | Buffer = order): LineOptions => ({
  body,
  headers: ['content-type: application/json', `content-encoding: ${coding}`],
})

/** Bodies of requests. */
export const bodies: readonly Line[] = [
  ...noJson.map(([what, body]) => refused(`no JSON: ${what}`, { body }, '400 BAD_REQUEST')),
  ...noOrder.map(([what, body]) => refused(`no order: ${what}`, { body }, '400 INPUT_INVALID')),
  ...types.map(type => refused(`a body of type '${type.slice(0, 50)}'`, typed(type), '415 UNSUPPORTED_MEDIA_TYPE')),
  refused('a body without a type', { body: order, headers: [] }, '415 UNSUPPORTED_MEDIA_TYPE'),
  refused(
    'a body of a wrong type that is bad JSON too',
    { body: '{', headers: ['content-type: text/plain'] },
    '415 UNSUPPORTED_MEDIA_TYPE',
  ),
  refused('no body, and no type', { method: 'POST', target: '/v1/postcards' }, '400 INPUT_INVALID'),
  refused(
    'no body, with a type',
    { method: 'POST', target: '/v1/postcards', headers: ['content-type: application/json'] },
    '400 INPUT_INVALID',
  ),
  refused('a body in gzip', coded('gzip', gzipSync(order)), '415 UNSUPPORTED_MEDIA_TYPE'),
  refused('a body of 100 MB in gzip', coded('gzip', gzipSync(Buffer.alloc(100_000_000))), '415 UNSUPPORTED_MEDIA_TYPE'),
  ...['gzip', 'br', 'deflate', 'gzip, gzip', 'foo', ', gzip', 'identity, gzip', 'identity\xa0'].map(coding =>
    refused(`a plain body that says it is in ${coding}`, coded(coding), '415 UNSUPPORTED_MEDIA_TYPE'),
  ),
  refused(
    'a body of 1 MiB and a byte',
    { body: `${order}${' '.repeat(1024 * 1024 + 1 - order.length)}` },
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused('a body of 8 MiB', { body: ' '.repeat(8 * 1024 * 1024) }, '413 PAYLOAD_TOO_LARGE'),
  refused('a breed of a picture that is not known', { body: '{"greeting":"a","breeds":["zzzz"]}' }, '404 REFUSED'),
  refused(
    'a body that takes no JSON',
    { body: order, headers: ['content-type: application/json', 'accept: text/html'] },
    '406 NOT_ACCEPTABLE',
  ),
  legal('a body of 1 MiB', 'it is as large as a body may be', {
    body: `${order}${' '.repeat(1024 * 1024 - order.length)}`,
  }),
  legal('a name twice', 'the last one stands (RFC 8259, section 4)', {
    body: '{"greeting":1,"greeting":"a","breeds":["siam"]}',
  }),
  refused(
    '99,999 breeds, which with the names are 100,001 values',
    { body: `{"greeting":"a","breeds":[${Array.from({ length: 99_999 }, () => '1').join()}]}` },
    '413 PAYLOAD_TOO_LARGE',
  ),
  refused('1,000,000 characters of empty lists', { body: `[${'[],'.repeat(333_333)}[]]` }, '413 PAYLOAD_TOO_LARGE'),
  legal('an unknown name 30,000 levels deep', 'unknown names are ignored', {
    body: `{"greeting":"a","breeds":["siam"],"more":${nested(30_000)}}`,
  }),
  legal('200,000 commas in an unknown text', 'they are no values', {
    body: `{"greeting":"a","breeds":["siam"],"csv":"${'1,'.repeat(200_000)}"}`,
  }),
  legal('a constructor that is no prototype', 'it is an unknown name', {
    body: '{"greeting":"a","breeds":["siam"],"constructor":1,"toString":2}',
  }),
  legal('a lone surrogate in a greeting', 'JSON can write it', { body: '{"greeting":"\\ud800","breeds":["siam"]}' }),
  ...[
    'application/json;charset=latin1',
    'application/json; charset=utf-7',
    'application/json; charset=',
    'application/json; charset="',
    'application/json;;;',
    'APPLICATION/JSON',
    'application/vnd.cat+json',
  ].map(type =>
    legal(`a body of type ${type}`, 'JSON has no charset parameter, and is UTF-8 (RFC 8259, section 11)', typed(type)),
  ),
  ...['', ' ', ',', 'identity', 'Identity, identity', ', ,identity,', 'identity\r\ncontent-encoding: identity'].map(
    coding =>
      legal(
        `a plain body with the codings '${coding}'`,
        'empty members of a list are ignored (RFC 9110, section 5.6.1)',
        coded(coding),
      ),
  ),
  legal('a byte order mark before JSON', 'a parser may ignore it (RFC 8259, section 8.1)', { body: `\ufeff${order}` }),
  legal('a byte order mark before an integer that is read exactly', 'it is no part of the text', {
    body: `\ufeff${order.slice(0, -1)},"more":9007199254740993}`,
  }),
  legal('a body on GET', 'it means nothing (RFC 9110, section 9.3.1)', {
    method: 'GET',
    target: '/v1/cat-facts',
    body: '{"count":"x"}',
  }),
  legal('a body on GET that looks like a request', 'it is read off the connection', {
    method: 'GET',
    target: '/v1/cat-facts',
    body: 'GET /admin HTTP/1.1\r\nhost: a\r\n\r\n',
  }),
]
