import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { operation, type Operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { failure } from '../../helpers/failure.ts'
import { written } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const output = z.object({ a: z.number() })
const asJson = operation({ method: 'POST', path: '/', output, allowEmpty: true })
const asText = operation({ path: '/', output: z.string(), responseType: 'text', allowEmpty: true })
const asBytes = operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes', allowEmpty: true })
const withHeaders = operation({
  path: '/',
  output,
  allowEmpty: true,
  responseHeaders: z.object({ 'x-total': z.coerce.number() }),
})

async function ask<T>(
  t: Test,
  bytes: string | Buffer,
  what: Operation<object, T>,
  options: Partial<UpstreamOptions> = {},
) {
  const { send } = await wire(t, bytes, what, options)
  return send()
}

const head = (status: number, ...lines: string[]) => `HTTP/1.1 ${status} Whatever\r\n${lines.join('\r\n')}\r\n\r\n`

const empty: readonly (readonly [what: string, bytes: string | Buffer, status: number])[] = [
  ...[
    'text/html',
    'text/plain; charset=utf-8',
    'application/octet-stream',
    'image/png',
    '',
    'text/html; charset=x',
  ].map(type => [`content-length: 0 as '${type}'`, written(200, { 'content-type': type }, ''), 200] as const),
  ['content-length: 0 without a type', written(200, {}, ''), 200],
  ['201 as text/html', written(201, { 'content-type': 'text/html' }, ''), 201],
  ['202 as text/html', written(202, { 'content-type': 'text/html' }, ''), 202],
  ['204', head(204, 'x: y'), 204],
  ['204 with a type', head(204, 'content-type: text/html'), 204],
  ['204 with a length', head(204, 'content-length: 0', 'content-type: text/html'), 204],
  ['204 with a length above the limit', head(204, 'content-length: 6000000'), 204],
  ['205 with content-length: 0', head(205, 'content-length: 0'), 205],
  ['205 with a type', head(205, 'content-type: text/html', 'content-length: 0'), 205],
  ['205 in chunks', head(205, 'transfer-encoding: chunked') + '0\r\n\r\n', 205],
  ['205 without a length, whose connection stays open', head(205, 'x: y'), 205],
  ['205 with a body all the same', head(205, 'content-type: text/html', 'content-length: 4') + '<br>', 205],
  ['no chunks', head(200, 'content-type: text/html', 'transfer-encoding: chunked') + '0\r\n\r\n', 200],
  ['no chunks without a type', head(200, 'transfer-encoding: chunked') + '0\r\n\r\n', 200],
  ...(
    [
      ['gzip', gzipSync('')],
      ['br', brotliCompressSync('')],
      ['zstd', zstdCompressSync('')],
    ] as const
  ).map(
    ([coding, bytes]) =>
      [
        `${coding} of nothing as text/html`,
        written(200, { 'content-type': 'text/html', 'content-encoding': coding }, bytes),
        200,
      ] as const,
  ),
  ['gzip without a byte', written(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }, ''), 200],
  [
    'an unknown coding without a byte',
    written(200, { 'content-type': 'text/html', 'content-encoding': 'compress' }, ''),
    200,
  ],
  [
    'an unknown coding without a chunk',
    head(200, 'content-encoding: compress', 'transfer-encoding: chunked') + '0\r\n\r\n',
    200,
  ],
  ['204 with an unknown coding', head(204, 'content-encoding: compress'), 204],
]

test('an empty body is null whatever type, coding and framing it has', async t => {
  for (const [what, bytes, status] of empty) {
    t.same(await ask(t, bytes, asJson), { value: null, status }, `${what}, as JSON`)
    t.same(await ask(t, bytes, asText), { value: null, status }, `${what}, as text`)
    t.same(await ask(t, bytes, asBytes), { value: null, status }, `${what}, as bytes`)
  }
})

test('an empty body that ends with its connection is null', async t => {
  const closing = head(200, 'content-type: text/html', 'connection: close')
  const { send } = await wire(t, socket => socket.end(closing), asJson)
  t.same(await send(), { value: null, status: 200 })
})

test('a HEAD has no body, so its type and its coding are not looked at', async t => {
  const asHead = operation({ method: 'HEAD', path: '/', output, allowEmpty: true })
  for (const lines of [
    ['content-type: text/html', 'content-length: 5000'],
    ['content-type: text/html', 'content-encoding: compress', 'content-length: 5000'],
    ['content-type: image/png', 'transfer-encoding: chunked'],
    ['x: y'],
  ])
    t.same(await ask(t, head(200, ...lines), asHead), { value: null, status: 200 }, lines.join())
})

test('white space is an empty body of JSON, and a body of text and bytes', async t => {
  for (const blank of [' ', '\n', '\r\n', '\t \r\n', '\ufeff', '\ufeff\n', ' '.repeat(16_384)]) {
    const html = (lines: object = {}) => written(200, { 'content-type': 'text/html', ...lines }, blank)
    t.same(await ask(t, html(), asJson), { value: null, status: 200 }, JSON.stringify(blank.slice(0, 9)))
    t.same(
      await ask(t, written(200, { 'content-type': 'application/json' }, blank), asJson),
      { value: null, status: 200 },
      'the same as JSON',
    )
  }
  const zipped = { 'content-type': 'text/html', 'content-encoding': 'gzip' }
  t.same(await ask(t, written(200, zipped, gzipSync('\n')), asJson), { value: null, status: 200 })
  const large = written(200, { 'content-type': 'application/json' }, '\n'.repeat(200_000))
  t.same(await ask(t, large, asJson), { value: null, status: 200 }, 'read in steps')
  t.equal((await ask(t, written(200, { 'content-type': 'text/plain' }, ' \n'), asText)).value, ' \n')
  t.same((await ask(t, written(200, {}, '\n'), asBytes)).value, Buffer.from('\n'))
})

test('a body that is not empty has to have a type that is accepted, however it comes', async t => {
  const html = { 'content-type': 'text/html' }
  for (const [what, bytes] of [
    ['a length', written(200, html, '{"a":1}')],
    ['chunks', head(200, 'content-type: text/html', 'transfer-encoding: chunked') + '7\r\n{"a":1}\r\n0\r\n\r\n'],
    ['gzip', written(200, { ...html, 'content-encoding': 'gzip' }, gzipSync('{"a":1}'))],
    ['no type', written(200, {}, '{"a":1}')],
    ['a long page', written(200, html, 'x'.repeat(20_000))],
    ['a large page', head(200, 'transfer-encoding: chunked') + `30000\r\n${'x'.repeat(0x30000)}\r\n0\r\n\r\n`],
    ['white space and more', written(200, html, ' x')],
  ] as const) {
    t.match(await failure(ask(t, bytes, asJson)), { code: 'UPSTREAM_CONTENT_TYPE', upstreamStatus: 200 }, what)
  }
  const coded = head(200, 'content-type: application/json', 'content-encoding: x', 'transfer-encoding: chunked')
  t.match(await failure(ask(t, `${coded}2\r\n{}\r\n0\r\n\r\n`, asJson)), {
    code: 'UPSTREAM_ENCODING',
    message: /its content coding is unknown/,
  })
})

test('a long page is refused by its head, and its body is not read', async t => {
  const { send, upstream } = await wire(t, head(200, 'content-type: text/html', 'content-length: 16385'), asJson)
  t.match(await failure(send()), { code: 'UPSTREAM_CONTENT_TYPE' })
  await upstream.deserted()
})

test('without allowEmpty an empty body is decoded by no coding, and is the empty value of its kind', async t => {
  const coded = { 'content-type': 'text/plain', 'content-encoding': 'compress' }
  const text = operation({ path: '/', output: z.string(), responseType: 'text' })
  const bytes = operation({ path: '/', output: z.instanceof(Buffer), responseType: 'bytes' })
  const asHead = operation({ method: 'HEAD', path: '/', output: z.string(), responseType: 'text' })
  t.same(await ask(t, written(200, coded, ''), text), { value: '', status: 200 })
  t.same(await ask(t, written(200, coded, ''), bytes), { value: Buffer.alloc(0), status: 200 })
  t.same(
    await ask(t, head(200, 'content-type: text/plain', 'content-encoding: compress', 'content-length: 7'), asHead),
    { value: '', status: 200 },
  )
  t.match(await failure(ask(t, written(200, coded, 'a'), text)), { code: 'UPSTREAM_ENCODING' })
})

test('without allowEmpty an empty body of JSON is a failure, also of a 205', async t => {
  const needed = operation({ path: '/', output })
  t.match(await failure(ask(t, written(200, { 'content-type': 'text/html' }, ''), needed)), {
    code: 'UPSTREAM_CONTENT_TYPE',
  })
  t.match(await failure(ask(t, written(200, { 'content-type': 'application/json' }, ' '), needed)), {
    code: 'UPSTREAM_JSON',
  })
  t.match(await failure(ask(t, head(205, 'content-length: 0'), needed)), { code: 'UPSTREAM_STATUS' })
})

test('response headers are read beside an empty body, and their schema still counts', async t => {
  for (const [what, bytes, status] of [
    ['a default type', written(200, { 'content-type': 'text/html', 'x-total': '7' }, ''), 200],
    ['204', head(204, 'x-total: 7'), 204],
    ['205', head(205, 'x-total: 7', 'content-length: 0'), 205],
    ['205 without a length', head(205, 'x-total: 7'), 205],
  ] as const)
    t.same(await ask(t, bytes, withHeaders), { value: { body: null, headers: { 'x-total': 7 } }, status }, what)
  for (const status of [200, 205])
    t.match(await failure(ask(t, head(status, 'x-total: many', 'content-length: 0'), withHeaders)), {
      code: 'UPSTREAM_SCHEMA',
      upstreamStatus: status,
    })
})

test('a status of nullOn is null, and an empty body beside it too', async t => {
  const both = operation({ path: '/', output, allowEmpty: true, nullOn: [404] })
  t.same(await ask(t, written(404, { 'content-type': 'text/html' }, '<br>'), both), { value: null, status: 404 })
  t.same(await ask(t, written(200, { 'content-type': 'text/html' }, ''), both), { value: null, status: 200 })
})

test('the connection of an empty answer is used again', async t => {
  for (const bytes of [
    written(200, { 'content-type': 'text/html' }, ''),
    head(205, 'content-length: 0'),
    head(205, 'transfer-encoding: chunked') + '0\r\n\r\n',
  ]) {
    const { send, upstream } = await wire(t, bytes, asJson, { concurrency: 1, connections: 1 })
    await send()
    await send()
    t.equal(upstream.connections, 1)
  }
})

test('an empty answer that is kept is given again', async t => {
  const kept = operation({ path: '/', output, allowEmpty: true, cache: { ttl: 60_000 } })
  const { send, upstream } = await wire(t, written(200, { 'content-type': 'text/html' }, ''), kept)
  t.match(await send(), { value: null, status: 200 })
  t.match(await send(), { value: null, status: 200, cached: { cache: 'hit' } })
  t.equal(upstream.requests.length, 1)
})
