import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { readBody } from '../../../src/upstream/transport/body.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { failure } from '../../helpers/failure.ts'
import { json, written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const asJson = operation({ path: '/', output: z.unknown() })
const asText = operation({ path: '/', output: z.string(), responseType: 'text' })
const secret = "the upstream's own words"

async function ask(t: Test, bytes: Buffer, what: typeof asJson = asJson, options: Partial<UpstreamOptions> = {}) {
  const { send } = await wire(t, bytes, what, options)
  return send()
}

const type = { 'content-type': 'application/json' }
const bodyOf = (body: string | Buffer, headers: Record<string, string> = {}) =>
  written(200, { ...type, ...headers }, body)

test('a body in many pieces is one body', async t => {
  const value = { text: 'ü'.repeat(50) }
  const body = Buffer.from(JSON.stringify(value))
  const { send } = await wire(
    t,
    async socket => {
      socket.setNoDelay()
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
      for (const byte of body) {
        await new Promise(resolve =>
          socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]), resolve),
        )
      }
      socket.write('0\r\n\r\n')
    },
    asJson,
  )
  t.same((await send()).value, value)
})

test('text and bytes are given as they are', async t => {
  t.equal((await ask(t, written(200, { 'content-type': 'text/plain' }, 'a ü'), asText)).value, 'a ü')
  const asBytes = operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes' })
  const bytes = Buffer.from([0xff, 0x00, 0xfe])
  t.same((await ask(t, written(200, { 'content-type': 'image/png; charset=odd' }, bytes), asBytes)).value, bytes)
  t.same((await ask(t, written(204, { 'content-length': undefined }, ''), asBytes)).value, Buffer.alloc(0))
})

test('bytes are not searched for numbers', async t => {
  const { ask } = defineUpstream(
    'u',
    { origin: 'http://u.test' },
    { ask: operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes' }) },
  )
  const { spec } = ask()
  const bytes = Buffer.from('bytes')
  Object.defineProperty(bytes, 'probe', { enumerable: true, get: () => t.fail('a search comes by here') })
  t.equal(readBody(spec, 200, {}, bytes), bytes)
})

test('an empty body is null where the operation says so, and no JSON elsewhere', async t => {
  const mayBeEmpty = operation({ path: '/', output: z.object({ a: z.number() }), allowEmpty: true })
  const nothing = written(204, { 'content-length': undefined }, '')
  t.same(await ask(t, nothing, mayBeEmpty), { value: null, status: 204 })
  t.same(await ask(t, written(200, {}, ''), mayBeEmpty), { value: null, status: 200 })
  t.same(await ask(t, bodyOf(''), mayBeEmpty), { value: null, status: 200 })
  t.same((await ask(t, bodyOf('{"a":1}'), mayBeEmpty)).value, { a: 1 })
  t.match(await failure(ask(t, nothing)), { code: 'UPSTREAM_CONTENT_TYPE', upstreamStatus: 204 })
  t.match(await failure(ask(t, bodyOf(''))), { code: 'UPSTREAM_JSON' })
})

test('a body that says nothing of its type is not read, where an empty one would be null too', async t => {
  const mayBeEmpty = operation({ path: '/', output: z.unknown(), allowEmpty: true })
  t.match(await failure(ask(t, written(200, {}, '{}'), mayBeEmpty)), { code: 'UPSTREAM_CONTENT_TYPE' })
})

test('response headers are read by their schema, and a mismatch is a failure', async t => {
  const paged = operation({
    path: '/',
    output: z.array(z.number()),
    responseHeaders: z.object({ 'x-total': z.coerce.number() }),
  })
  const value = { body: [1], headers: { 'x-total': 7 } }
  t.same((await ask(t, bodyOf('[1]', { 'x-total': '7', 'x-other': 'dropped' }), paged)).value, value)
  t.match(await failure(ask(t, bodyOf('[1]', { 'x-total': 'many' }), paged)), { code: 'UPSTREAM_SCHEMA' })
  t.match(
    await failure(ask(t, bodyOf('[1]', { 'x-total': '9007199254740993' }), paged)),
    {
      code: 'UPSTREAM_SCHEMA',
      message:
        /: one of its values is an integer that a double cannot hold exactly: declare z\.coerce\.bigint\(\) for it$/,
    },
    'an integer is not rounded',
  )
})

test('a response header is a text: an empty one is not a number, and one line is a list of one', async t => {
  const total = operation({
    path: '/',
    output: z.unknown(),
    responseHeaders: z.object({ 'x-total': z.coerce.number().optional(), link: z.array(z.string()).optional() }),
  })
  for (const text of ['', '0x10', '9007199254740993'])
    t.match(await failure(ask(t, bodyOf('[]', { 'x-total': text }), total)), { code: 'UPSTREAM_SCHEMA' }, text)
  t.match((await ask(t, bodyOf('[]', { 'x-total': '0', link: '<a>' }), total)).value, {
    headers: { 'x-total': 0, link: ['<a>'] },
  })
})

test("an upstream's cookie is not part of the headers that a schema receives", async t => {
  const every = operation({ path: '/', output: z.unknown(), responseHeaders: z.record(z.string(), z.unknown()) })
  const { value } = await ask(t, bodyOf('[]', { 'x-total': '7', 'set-cookie': 'session=1' }), every)
  t.match(value, { headers: { 'x-total': '7', 'content-type': 'application/json' } })
  t.notMatch(JSON.stringify(value), 'session')
})

test('each content coding is undone', async t => {
  const body = JSON.stringify({ list: 'x'.repeat(1000) })
  for (const [coding, bytes] of [
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZIP', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['zstd', zstdCompressSync(body)],
    ['identity', Buffer.from(body)],
    ['Identity', Buffer.from(body)],
  ] as const) {
    t.same((await ask(t, bodyOf(bytes, { 'content-encoding': coding }))).value, { list: 'x'.repeat(1000) }, coding)
  }
  const mayBeEmpty = operation({ path: '/', output: z.unknown(), allowEmpty: true })
  t.equal((await ask(t, bodyOf('', { 'content-encoding': 'gzip' }), mayBeEmpty)).value, null)
})

test('empty members and identity are left out of a list of codings', async t => {
  const body = JSON.stringify({ list: 'x'.repeat(100) })
  const zipped = gzipSync(body)
  for (const [codings, bytes] of [
    ['', body],
    [' \t', body],
    [', ,', body],
    ['identity, Identity', body],
    ['identity\r\ncontent-encoding: identity', body],
    ['\r\ncontent-encoding: ', body],
    ['gzip, ', zipped],
    [' , ,GZIP', zipped],
    ['identity, x-gzip', zipped],
    ['gzip,,identity', zipped],
    ['\r\ncontent-encoding: gzip', zipped],
    ['identity\r\nContent-Encoding: gzip\r\ncontent-encoding: ', zipped],
  ] as const)
    t.same(
      (await ask(t, bodyOf(bytes, { 'content-encoding': codings }))).value,
      { list: 'x'.repeat(100) },
      JSON.stringify(codings),
    )
  for (const codings of [
    'gzip, gzip',
    'gzip, identity, gzip',
    ', br, gzip',
    'gzip\r\ncontent-encoding: br',
    'gzip gzip',
    'identity;q=1',
    '"gzip"',
    ','.repeat(5000) + 'gzip, br',
  ])
    t.match(
      await failure(ask(t, bodyOf(gzipSync(zipped), { 'content-encoding': codings }))),
      { code: 'UPSTREAM_ENCODING', message: /its content coding is unknown/ },
      codings.slice(0, 40),
    )
})

test('a body of several members is read as a whole', async t => {
  const [first, second] = ['{"list":', '[1,2]}']
  for (const [coding, compress] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    const body = Buffer.concat([compress(''), compress(first), compress(''), compress(second)])
    t.same((await ask(t, bodyOf(body, { 'content-encoding': coding }))).value, { list: [1, 2] }, coding)
    // What is left of it is whole JSON.
    const cut = Buffer.concat([compress('{}'), compress(' ').subarray(0, -1)])
    t.match(
      await failure(ask(t, bodyOf(cut, { 'content-encoding': coding }))),
      { code: 'UPSTREAM_ENCODING' },
      `${coding}, cut`,
    )
  }
})

test('bytes behind a coded body are refused', async t => {
  for (const [coding, compress] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    for (const rest of ['\0', ' ', '{}']) {
      t.match(
        await failure(
          ask(t, bodyOf(Buffer.concat([compress('{}'), Buffer.from(rest)]), { 'content-encoding': coding })),
        ),
        { code: 'UPSTREAM_ENCODING' },
        `${coding} and ${JSON.stringify(rest)}`,
      )
    }
  }
})

test('a small body that becomes a large one is cut at the cap', async t => {
  const bomb = JSON.stringify('x'.repeat(1_000_000))
  for (const [coding, bytes] of [
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
  ] as const) {
    t.ok(bytes.length < 10_000)
    t.match(
      await failure(ask(t, bodyOf(bytes, { 'content-encoding': coding }), asJson, { maxResponseBytes: 10_000 })),
      { code: 'UPSTREAM_TOO_LARGE', message: /10000 bytes after decoding/ },
      coding,
    )
  }
})

test('a coding that cannot be undone is a failure', async t => {
  const whole = gzipSync(JSON.stringify({ list: secret.repeat(100) }))
  for (const [coding, bytes] of [
    ['gzip', whole.subarray(0, -10)],
    ['gzip', Buffer.from(JSON.stringify(secret))],
    ['br', whole],
    ['zstd', whole],
  ] as const) {
    const error = await failure(ask(t, bodyOf(bytes, { 'content-encoding': coding })))
    t.match(error, { code: 'UPSTREAM_ENCODING', message: new RegExp(`its ${coding} body cannot be decoded`) })
    t.notMatch(String(error), secret)
  }
  for (const coding of [
    'compress',
    'gzip, br',
    'gzip, gzip, gzip, gzip, gzip, gzip',
    'gzip\r\ncontent-encoding: gzip',
    'x-secret',
  ]) {
    const error = await failure(ask(t, bodyOf(whole, { 'content-encoding': coding })))
    t.match(error, { code: 'UPSTREAM_ENCODING', message: /its content coding is unknown/ }, coding)
    t.notMatch(String(error), 'x-secret')
  }
  t.match(
    await failure(ask(t, bodyOf(whole))),
    { code: 'UPSTREAM_ENCODING', message: /not UTF-8/ },
    'gzip that says nothing',
  )
})

test('bytes that are not UTF-8 are refused, and a byte order mark is taken off', async t => {
  const bad = Buffer.concat([Buffer.from('"a'), Buffer.from([0xc3, 0x28]), Buffer.from('"')])
  t.match(await failure(ask(t, bodyOf(bad))), { code: 'UPSTREAM_ENCODING', upstreamStatus: 200 })
  t.match(await failure(ask(t, written(200, { 'content-type': 'text/plain' }, bad), asText)), {
    code: 'UPSTREAM_ENCODING',
  })
  t.same((await ask(t, bodyOf('\ufeff{"a":1}'))).value, { a: 1 })
  t.equal((await ask(t, written(200, { 'content-type': 'text/plain' }, '\ufeffa'), asText)).value, 'a')
})

test('a body that is not JSON is a failure that does not quote it', async t => {
  for (const body of [secret, `{"a":"${secret}"`, '{}x', 'undefined', 'NaN', '{a:1}']) {
    const error = await failure(ask(t, bodyOf(body)))
    t.match(error, { code: 'UPSTREAM_JSON', upstreamStatus: 200, cause: 'SyntaxError' }, body)
    t.notMatch(String(error), secret)
  }
})

test('a key that could change a prototype is refused in every spelling, and the same word in a value is accepted', async t => {
  for (const body of [
    '{"__proto__":{"admin":true}}',
    '{"a":[{"b":{"__proto__":1}}]}',
    String.raw`{"\u005f_proto__":1}`,
    String.raw`{"__\u0070roto__":1}`,
    String.raw`[{"__pr\u006Fto__":null}]`,
    '{"constructor":{"prototype":{"admin":true}}}',
    '[{"a":{"constructor":{"prototype":null}}}]',
    String.raw`{"c\u006fnstructor":{"\u0070rototype":{}}}`,
  ]) {
    t.match(await failure(ask(t, bodyOf(body))), { code: 'UPSTREAM_JSON', message: /could change a prototype/ }, body)
  }
  for (const value of [
    { a: '__proto__' },
    ['__proto__'],
    '__proto__',
    { __proto: 1 },
    { a: [null, { b: '"__proto__":1' }] },
    { constructor: 'prototype' },
    { constructor: null, prototype: {} },
    { constructor: { a: { prototype: 1 } } },
  ]) {
    t.same((await ask(t, json(value))).value, value)
  }
  t.same((await ask(t, bodyOf(String.raw`{"a":"\u005f\u0070"}`))).value, { a: '_p' })
})

interface Nested {
  readonly next?: Nested | undefined
}
const Nested: z.ZodType<Nested> = z.object({
  get next() {
    return Nested.optional()
  },
})
const nested = operation({ path: '/', output: Nested })
const depth = 100_000

test('a body nested too deep for its schema is a failure of the upstream', async t => {
  t.match(await failure(ask(t, bodyOf('{"next":'.repeat(depth) + '{}' + '}'.repeat(depth)), nested)), {
    code: 'UPSTREAM_SCHEMA',
    upstreamStatus: 200,
  })
})

test('a body nested too deep to be searched is a failure of the upstream', async t => {
  const deep = (inside: string) => bodyOf('['.repeat(depth) + inside + ']'.repeat(depth))
  t.match(await failure(ask(t, deep('"__proto__"'))), { name: 'UpstreamError' })
  t.match(await failure(ask(t, deep(String.raw`"\u0070"`))), { name: 'UpstreamError' })
})

test('a short body nested too deep for a schema that takes any value is a failure of the upstream', async t => {
  for (const [levels, fault] of [
    [64, undefined],
    [65, 'UPSTREAM_SCHEMA'],
  ] as const) {
    const asked = ask(t, bodyOf(`${'['.repeat(levels)}1${']'.repeat(levels)}`))
    if (fault === undefined) await t.resolves(asked)
    else t.match(await failure(asked), { code: fault, message: /it is nested deeper than 64$/ })
  }
})

for (const [size, bytes] of [
  ['read at once', 100_000],
  ['read in steps', 200_000],
] as const)
  test(`a body of ${bytes} bytes, ${size}, that its schema refuses is read again with its exact integers`, async t => {
    const body = bodyOf(`{"id":9007199254740993,"pad":"${'x'.repeat(bytes)}"}`)
    const shape = (id: z.ZodType) => operation({ path: '/', output: z.object({ id, pad: z.string() }) })
    t.match((await ask(t, body, shape(z.bigint()))).value, { id: 9007199254740993n })
    t.match(await failure(ask(t, body, shape(z.string()))), { code: 'UPSTREAM_SCHEMA', upstreamStatus: 200 })
  })

test('a shared answer nested too deep to be frozen is a failure of the upstream', async t => {
  const shared = operation({ path: '/', output: z.unknown(), coalesce: true })
  t.match(await failure(ask(t, bodyOf('['.repeat(depth) + ']'.repeat(depth)), shared)), { name: 'UpstreamError' })
})

test('an answer of another shape is a failure that keeps the reason for the log', async t => {
  const one = operation({ path: '/', output: z.object({ fact: z.string() }) })
  const error = (await failure(ask(t, json({ fact: 42, other: secret }), one))) as Error
  t.match(error, { code: 'UPSTREAM_SCHEMA', upstreamStatus: 200 })
  t.ok(error.cause instanceof z.ZodError)
  t.notMatch(String(error), secret)
})

test('fields that the schema does not name are dropped, and its transforms apply', async t => {
  const one = operation({ path: '/', output: z.object({ at: z.string().transform(text => text.length) }) })
  t.same((await ask(t, json({ at: 'abc', other: 1 }), one)).value, { at: 3 })
})

test('a schema that throws an error of its own is not a failure of the upstream', async t => {
  const bug = new TypeError('a bug in a transform')
  const one = operation({
    path: '/',
    output: z.unknown().transform(() => {
      throw bug
    }),
  })
  t.equal(await failure(ask(t, json({}), one)), bug)
})

test('an answer of more values than allowed is a failure before any of them is checked', async t => {
  const numbers = (count: number) => bodyOf(JSON.stringify(Array.from({ length: count }, () => 1)))
  t.match(await failure(ask(t, numbers(1001), asJson, { maxJsonValues: 1000 })), {
    code: 'UPSTREAM_TOO_LARGE',
    message: /the limit is 1000 values/,
  })
  t.match((await ask(t, numbers(1000), asJson, { maxJsonValues: 1000 })).value, { length: 1000 })
  t.equal(
    (await ask(t, bodyOf(JSON.stringify({ csv: '1,'.repeat(100_000) })), asJson, { maxJsonValues: 1 })).status,
    200,
    'commas in a text are no values',
  )
  t.match(
    await failure(ask(t, bodyOf(`[${'[],'.repeat(1000)}[]]`), asJson, { maxJsonValues: 1000 })),
    { code: 'UPSTREAM_TOO_LARGE' },
    'lists are values',
  )
})

test('a long text of many brackets is refused for its depth before it is parsed, whatever its schema drops', async t => {
  const dropping = operation({ path: '/', output: z.object({ word: z.string() }) })
  const more = (depth: number) => bodyOf(`{"word":"a","more":${'['.repeat(depth)}${']'.repeat(depth)}}`)
  t.same((await ask(t, more(30_000), dropping)).value, { word: 'a' })
  t.match(await failure(ask(t, more(40_000), dropping)), { code: 'UPSTREAM_SCHEMA', message: /nested deeper than 64/ })
})
