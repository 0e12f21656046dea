import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { z } from 'zod'
import { secret } from '../../helpers/hostile-upstream.ts'
import type { Entry, Line } from '../helpers/entry.ts'
import { says } from '../helpers/victim.ts'
import { typed, wordOf } from '../helpers/wire.ts'
import { busy } from '../scenes/payloads.ts'

const type = 'application/json'
const json = (body: string | Buffer, lines: readonly string[] = []) => says(typed(type, body, lines))
const coded = (coding: string, body: string | Buffer) => json(body, [`content-encoding: ${coding}`])
const bad = { required: 502, optional: 'fallback', withinMs: 20, connectionsAfter: 1 } as const
const fine = { required: 200, optional: 'ok', withinMs: 20, connectionsAfter: 1 } as const
const anything = { operation: { output: z.unknown() } }
const word = `{"word":"${secret}"}`
const zeros = Buffer.alloc(50 * 1024 * 1024)
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

/** Answers that are refused for what they say they are. */
const types: readonly Entry[] = [
  ['text/html', `<!doctype html><title>${secret}</title>`],
  ['text/html', word],
  ['text/plain', word],
  ['application/xml', word],
  ['application/octet-stream', word],
  [undefined, word],
  ['', word],
  ['json', word],
  ['application/jsonp', word],
  ['*/*', word],
].map(([said, body]): Line => ({
  no: said === 'text/html' ? 44 : 45,
  fault: `${said === undefined ? 'no content type' : `'${String(said)}'`}${body === word ? '' : ' for something else'}`,
  upstream: says(typed(said, body as string)),
  code: 'UPSTREAM_CONTENT_TYPE',
  ...bad,
}))

/** What an answer may say it is. */
const taken: readonly Entry[] = [
  'application/json',
  'Application/JSON',
  'application/json;charset=UTF-8',
  'application/json; charset="utf-8"; profile=x',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-16',
  'application/json, application/json',
  'application/json\r\nContent-Type: Application/JSON',
  'application/problem+json',
  'application/vnd.api+json',
  'text/json',
].map((said): Line => ({
  no: 45,
  fault: `'${said}', which is JSON`,
  upstream: says((socket, request) => socket.write(typed(said, wordOf(request)))),
  ...fine,
}))

/** What is in a body that is framed well. */
export const payloads: readonly Entry[] = [
  ...(
    [
      ['half an object', `{"word":"${secret}`],
      ['no bytes', ''],
      ['a blank', ' '],
      ['a comma too many', `{"word":"${secret}",}`],
      ['single quotes', `{'word':'${secret}'}`],
      ['NaN', '{"word":NaN}'],
      ['two values', `${word}${word}`],
      ['a page', `<title>${secret}</title>`],
      ['a NUL behind', `${word}\0`],
    ] as const
  ).map(([fault, body]): Line => ({
    no: 43,
    fault: `no JSON: ${fault}`,
    upstream: json(body),
    code: 'UPSTREAM_JSON',
    ...bad,
  })),
  ...types,
  {
    no: 44,
    fault: 'JSON as text/html, from an upstream that is declared so',
    upstream: says((socket, request) => socket.write(typed('text/html; charset=utf-8', wordOf(request)))),
    operation: { accept: ['application/json', 'text/html'] },
    ...fine,
  },
  ...taken,
  ...(
    [
      ['no bytes as text/html', typed('text/html', '')],
      ['no bytes as text/plain, with 201', typed('text/plain', '', [], '201 Created')],
      ['white space as text/html', typed('text/html; charset=utf-8', '\n')],
      ['gzip of nothing as text/html', typed('text/html', gzipSync(''), ['content-encoding: gzip'])],
      ['a 205', typed('text/html', '', [], '205 Reset Content')],
    ] as const
  ).flatMap(([fault, bytes]): Line[] =>
    (['GET', 'POST'] as const).map(method => ({
      no: 44,
      fault: `${fault}, to a ${method} whose answer may be empty`,
      upstream: says(bytes),
      operation: { method, allowEmpty: true },
      ...fine,
      value: null,
    })),
  ),
  {
    no: 45,
    fault: 'JSON in UTF-16 that says so',
    upstream: says(typed('application/json; charset=utf-16', Buffer.from(word, 'utf16le'))),
    code: 'UPSTREAM_JSON',
    ...bad,
  },
  {
    no: 45,
    fault: 'two types that differ',
    upstream: says(typed('application/json\r\ncontent-type: text/html', word)),
    code: 'UPSTREAM_CONTENT_TYPE',
    ...bad,
  },
  {
    no: 46,
    fault: 'text in a charset that cannot be decoded',
    upstream: says(typed(`text/plain; charset=${secret.replaceAll(/\W/g, '-')}`, word)),
    operation: { responseType: 'text', output: z.string() },
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  ...['ff', 'c0ae', 'eda080', 'f09f90', 'fe', 'e28'].map((hex): Line => ({
    no: 46,
    fault: `bytes that are no UTF-8: ${hex}`,
    upstream: json(Buffer.concat([Buffer.from('{"word":"'), Buffer.from(hex, 'hex'), Buffer.from('"}')])),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  {
    no: 46,
    fault: 'text that is no UTF-8',
    upstream: says(typed('text/plain', Buffer.from('caf\xe9', 'latin1'))),
    operation: { responseType: 'text', output: z.string() },
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  {
    no: 47,
    fault: 'a byte order mark',
    upstream: says((socket, request) => socket.write(typed(type, `\ufeff${wordOf(request)}`))),
    ...fine,
  },
  {
    no: 48,
    fault: '100,000 lists in each other, let through by the schema',
    upstream: json(nested(100_000)),
    ...anything,
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  {
    no: 48,
    fault: '20,000 objects in each other, let through by the schema',
    upstream: json(deep(20_000)),
    ...anything,
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  {
    no: 48,
    fault: '100,000 lists in each other, in a schema that holds itself',
    upstream: json(nested(100_000)),
    operation: { output: z.json() },
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  {
    no: 48,
    fault: '100,000 lists in each other, where an object ought to be',
    upstream: json(nested(100_000)),
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  {
    no: 48,
    fault: '30,000 lists in each other, in a field that is dropped',
    upstream: says((socket, request) =>
      socket.write(typed(type, `${wordOf(request).slice(0, -1)},"more":${nested(30_000)}}`)),
    ),
    ...fine,
    withinMs: 150,
  },
  {
    no: 48,
    fault: '2,600,000 lists in each other, in a field that is dropped',
    upstream: says((socket, request) =>
      socket.write(typed(type, `${wordOf(request).slice(0, -1)},"more":${nested(2_600_000)}}`)),
    ),
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  ...(
    [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['zstd', zstdCompressSync],
    ] as const
  ).map(([coding, compress]): Line => ({
    no: 48,
    fault: `2,600,000 lists in each other, in ${coding}`,
    upstream: coded(coding, compress(nested(2_600_000))),
    ...anything,
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  })),
  {
    no: 48,
    fault: '2,600,000 opening brackets and no JSON',
    upstream: json('['.repeat(2_600_000)),
    code: 'UPSTREAM_SCHEMA',
    ...bad,
    withinMs: 150,
  },
  ...(
    [
      ['__proto__', `{"__proto__":{"word":"${secret}"},"word":"a"}`],
      ['__proto__ written with escapes', `{"\\u005f_proto__":{"word":"${secret}"},"word":"a"}`],
      ['__proto__ deep inside', `{"word":"a","more":[{"__proto__":null}]}`],
      ['a constructor with a prototype', `{"constructor":{"prototype":{"word":"${secret}"}},"word":"a"}`],
      [
        'a constructor with a prototype, written with escapes',
        `{"word":"a","more":{"\\u0063onstructor":{"\\u0070rototype":{"word":"${secret}"}}}}`,
      ],
    ] as const
  ).flatMap(([fault, body]): Line[] => [
    { no: 49, fault, upstream: json(body), code: 'UPSTREAM_JSON', ...bad },
    {
      no: 49,
      fault: `${fault}, let through by the schema`,
      upstream: json(body),
      ...anything,
      code: 'UPSTREAM_JSON',
      ...bad,
    },
  ]),
  {
    no: 49,
    fault: 'a constructor that is a word like others',
    upstream: json('{"constructor":"Ferrari"}'),
    operation: { output: z.object({ constructor: z.string() }) },
    value: { constructor: 'Ferrari' },
    ...fine,
  },
  {
    no: 50,
    fault: 'a key twice: the last one stands',
    upstream: json(`{"word":"${secret}","word":"last"}`),
    value: { word: 'last' },
    ...fine,
  },
  ...['1e400', '-1e400'].map((number): Line => ({
    no: 50,
    fault: `${number}, which is no number`,
    upstream: json(`{"word":${number}}`),
    operation: { output: z.object({ word: z.number() }) },
    code: 'UPSTREAM_SCHEMA',
    ...bad,
  })),
  {
    no: 50,
    fault: '2^53 + 1 where a whole number is declared',
    upstream: json('{"word":9007199254740993}'),
    operation: { output: z.object({ word: z.int() }) },
    code: 'UPSTREAM_SCHEMA',
    ...bad,
  },
  {
    no: 50,
    fault: '2^53 + 1 written as text, as ids ought to be',
    upstream: json('{"word":"9007199254740993"}'),
    value: { word: '9007199254740993' },
    ...fine,
  },
  {
    no: 50,
    fault: '-0, which is 0 again in JSON',
    upstream: json('{"word":-0}'),
    operation: { output: z.object({ word: z.number() }) },
    value: { word: 0 },
    ...fine,
  },
  {
    no: 51,
    fault: 'a list of 1,000,000',
    upstream: json(`[${'0,'.repeat(999_999)}0]`),
    operation: { output: z.array(z.object({ a: z.string() })) },
    code: 'UPSTREAM_TOO_LARGE',
    ...bad,
    withinMs: 100,
  },
  {
    no: 51,
    fault: '1,000,000 empty lists',
    upstream: json(`[${'[],'.repeat(999_999)}[]]`),
    ...anything,
    code: 'UPSTREAM_TOO_LARGE',
    ...bad,
    withinMs: 100,
  },
  {
    no: 51,
    fault: '1,000,000 commas in a text',
    upstream: says((socket, request) =>
      socket.write(typed(type, `${wordOf(request).slice(0, -1)},"csv":"${'1,'.repeat(1_000_000)}"}`)),
    ),
    ...fine,
    withinMs: 100,
  },
  {
    no: 51,
    fault: 'a list as long as is taken, all of it wrong',
    right: 'refused, and the loop is not held up for long',
    play: busy,
  },
  ...(
    [
      ['gzip', gzipSync(zeros)],
      ['br', brotliCompressSync(zeros)],
      ['zstd', zstdCompressSync(zeros)],
    ] as const
  ).map(([coding, body]): Line => ({
    no: 52,
    fault: `${body.length} bytes of ${coding} that become 50 MB`,
    upstream: coded(coding, body),
    code: 'UPSTREAM_TOO_LARGE',
    ...bad,
    withinMs: 200,
  })),
  {
    no: 53,
    fault: 'six codings on each other',
    upstream: coded('gzip, gzip, gzip, gzip, gzip, gzip', word),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  {
    no: 53,
    fault: 'two codings on each other',
    upstream: coded('gzip, br', brotliCompressSync(gzipSync(word))),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  {
    no: 53,
    fault: 'two codings in two headers',
    upstream: json(word, ['content-encoding: gzip', 'content-encoding: gzip']),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  ...['gzip', 'br', 'deflate', 'zstd'].map((coding): Line => ({
    no: 54,
    fault: `says ${coding}, and is plain`,
    upstream: coded(coding, word),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  { no: 54, fault: 'says nothing, and is gzip', upstream: json(gzipSync(word)), code: 'UPSTREAM_ENCODING', ...bad },
  ...['x-foo', 'identity, x-foo', '*', '__proto__', 'toString'].map((coding): Line => ({
    no: 55,
    fault: `content-encoding: ${coding}`,
    upstream: coded(coding, word),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  ...(
    [
      ['gzip', gzipSync(word)],
      ['br', brotliCompressSync(word)],
      ['zstd', zstdCompressSync(word)],
    ] as const
  ).map(([coding, body]): Line => ({
    no: 56,
    fault: `${coding} that breaks off`,
    upstream: coded(coding, body.subarray(0, body.length - 5)),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  {
    no: 56,
    fault: 'gzip with a wrong checksum',
    upstream: coded('gzip', Buffer.concat([gzipSync(word).subarray(0, -8), Buffer.alloc(8)])),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  },
  ...(
    [
      ['gzip', gzipSync(word)],
      ['deflate', deflateSync(word)],
      ['br', brotliCompressSync(word)],
      ['zstd', zstdCompressSync(word)],
    ] as const
  ).map(([coding, body]): Line => ({
    no: 56,
    fault: `${coding} with a zero byte behind it`,
    upstream: coded(coding, Buffer.concat([body, Buffer.alloc(1)])),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  ...(
    [
      ['deflate', deflateSync(word)],
      ['br', brotliCompressSync(word)],
    ] as const
  ).map(([coding, body]): Line => ({
    no: 56,
    fault: `${coding} twice, which has no members`,
    upstream: coded(coding, Buffer.concat([body, body])),
    code: 'UPSTREAM_ENCODING',
    ...bad,
  })),
  ...(
    [
      ['gzip', gzipSync],
      ['zstd', zstdCompressSync],
    ] as const
  ).map(([coding, compress]): Line => ({
    no: 56,
    fault: `${coding} in two members, the first one empty`,
    upstream: says((socket, request) =>
      socket.write(
        typed(type, Buffer.concat([compress(''), compress(wordOf(request))]), [`content-encoding: ${coding}`]),
      ),
    ),
    ...fine,
  })),
  {
    no: 56,
    fault: 'whole gzip',
    upstream: says((socket, request) =>
      socket.write(typed(type, gzipSync(wordOf(request)), ['content-encoding: gzip'])),
    ),
    ...fine,
  },
  ...(
    [
      ['another shape', `{"name":"${secret}"}`],
      ['null for a word', '{"word":null}'],
      ['a number for a word', '{"word":1}'],
      ['null', 'null'],
      ['a list', `["${secret}"]`],
      ['a text', `"${secret}"`],
    ] as const
  ).map(([fault, body]): Line => ({ no: 57, fault, upstream: json(body), code: 'UPSTREAM_SCHEMA', ...bad })),
  {
    no: 57,
    fault: 'fields that are not declared',
    upstream: says((socket, request) =>
      socket.write(typed(type, `${wordOf(request).slice(0, -1)},"secret":"${secret}"}`)),
    ),
    ...fine,
  },
  ...(
    [
      ['a price below 0', '{"price":-1}'],
      ['10^9 items', '{"price":1,"items":1000000000}'],
      ['a name with CR and LF', '{"price":1,"name":"a\\r\\nset-cookie: b"}'],
    ] as const
  ).map(([fault, body]): Line => ({
    no: 58,
    fault,
    upstream: json(body),
    operation: {
      output: z.object({
        price: z.number().min(0),
        items: z.int().max(1000).optional(),
        name: z
          .string()
          .regex(/^[\x20-\x7e]*$/)
          .optional(),
      }),
    },
    code: 'UPSTREAM_SCHEMA',
    ...bad,
  })),
  {
    no: 58,
    fault: 'CR and LF in a value that is taken: it stays in the body',
    upstream: json('{"word":"a\\r\\nx-injected: b"}', ['x-injected: b']),
    value: { word: 'a\r\nx-injected: b' },
    ...fine,
  },
]
