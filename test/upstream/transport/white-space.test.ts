import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import type { Entry } from '../../../src/upstream/policies/cache/entry.ts'
import type { CacheStore } from '../../../src/upstream/policies/cache/store.ts'
import { operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { isComplete, withoutWhiteSpace } from '../../../src/upstream/transport/white-space.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import type { Script } from '../../helpers/raw-upstream.ts'
import { wire } from '../../helpers/wire.ts'

const asJson = operation({ path: '/', output: z.unknown() })
const spaces = [' ', '   ']
const withTabs = ['\t', ' \t', '\t ', ' \t \t ']
const type = 'content-type: application/json'

/** Writes an answer with these header lines, as they are. */
function answer(lines: readonly string[], body: string | Buffer, status = 200): Buffer {
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} Whatever\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`, 'latin1'),
    Buffer.from(body),
  ])
}

async function ask(t: Test, script: Script, what = asJson, options: Partial<UpstreamOptions> = {}) {
  const { send } = await wire(t, script, what, options)
  return send()
}

test('spaces behind a Content-Length are not part of it, and a tab is refused', async t => {
  for (const padding of spaces)
    t.same(
      (await ask(t, answer([type, `content-length: 7${padding}`], '{"a":1}'))).value,
      { a: 1 },
      JSON.stringify(padding),
    )
  t.same((await ask(t, answer([type, 'content-length:\t7 '], '{"a":1}'))).value, { a: 1 }, 'a tab in front of it')
  // undici's parser takes no tab for white space there.
  for (const padding of withTabs)
    t.match(
      await failure(ask(t, answer([type, `content-length: 7${padding}`], '{"a":1}'))),
      { code: 'UPSTREAM_PROTOCOL' },
      JSON.stringify(padding),
    )
})

test('an empty body with white space behind its length is empty', async t => {
  const mayBeEmpty = operation({ path: '/', output: z.unknown(), allowEmpty: true })
  for (const padding of spaces) {
    t.same(await ask(t, answer([`content-length: 0${padding}`], ''), mayBeEmpty), { value: null, status: 200 })
    t.same(
      await ask(
        t,
        answer([`content-length: 5${padding}`], ''),
        operation({ method: 'HEAD', path: '/', output: z.unknown(), allowEmpty: true }),
      ),
      { value: null, status: 200 },
      'HEAD',
    )
  }
})

test('a body that comes in pieces is whole at its padded length, and not before', async t => {
  const text = JSON.stringify({ list: 'x'.repeat(200_000) })
  const head = answer([type, `content-length: ${text.length} `], '')
  t.same(
    (
      await ask(t, async socket => {
        socket.write(Buffer.concat([head, Buffer.from(text.slice(0, 10))]))
        socket.write(text.slice(10, 100_000))
        socket.write(text.slice(100_000))
      })
    ).value,
    JSON.parse(text),
  )
  for (const end of [text.length - 1, 1, 0]) {
    t.match(
      await failure(ask(t, socket => socket.end(Buffer.concat([head, Buffer.from(text.slice(0, end))])))),
      { name: 'UpstreamError' },
      `cut at ${end}`,
    )
  }
})

test('an answer whose connection ends with it is whole at its padded length', async t => {
  t.same(
    (await ask(t, socket => socket.end(answer([type, 'content-length: 2 ', 'connection: close '], '{}')))).value,
    {},
  )
  t.match(
    await failure(ask(t, socket => socket.end(answer([type, 'content-length: 4 ', 'connection: close '], '{}')))),
    { name: 'UpstreamError' },
  )
})

test('a call that is not safe has its answer in spite of a padded length', async t => {
  const post = operation({ method: 'POST', path: '/', output: z.unknown() })
  t.same((await ask(t, answer([type, 'content-length: 2 '], '{}'), post)).value, {})
  t.match(await failure(ask(t, socket => socket.end(answer([type, 'content-length: 3 '], '{}')), post)), {
    code: 'OUTCOME_UNKNOWN',
  })
})

test('refused and absent answers with a padded length are what their status says', async t => {
  t.match(await failure(ask(t, answer([type, 'content-length: 2 ', 'retry-after: 3 \t'], '{}', 503))), {
    code: 'UPSTREAM_BUSY',
    retryAfterMs: 3000,
  })
  t.same(
    await ask(
      t,
      answer(['content-length: 2 '], '{}', 404),
      operation({ path: '/', output: z.unknown(), nullOn: [404] }),
    ),
    { value: null, status: 404 },
  )
})

test('the call behind a padded length is answered by a connection of its own', async t => {
  const { send, upstream } = await wire(
    t,
    (socket, { index }) => socket.write(answer([type, 'content-length: 1 '], String(index))),
    asJson,
    { concurrency: 1, connections: 1 },
  )
  for (const value of [0, 1, 2]) t.equal((await send()).value, value)
  t.equal(upstream.connections, 3)
})

test('calls in a pipeline have their own answers in spite of a padded length', async t => {
  const paged = operation({ path: '/{page}', params: z.object({ page: z.number() }), output: z.number() })
  const { send } = await wire(
    t,
    (socket, { path }) => socket.write(answer([type, 'content-length: 1 '], path.slice(1))),
    paged,
    { pipelining: 4, connections: 1, concurrency: 1, retry: { maxAttempts: 10, initialDelay: 1 } },
  )
  const run = testRun()
  const answers = await Promise.all([1, 2, 3, 4].map(page => send(run, { page })))
  t.same(
    answers.map(({ value }) => value),
    [1, 2, 3, 4],
  )
})

test('spaces behind a Transfer-Encoding are not part of it, and a tab is refused', async t => {
  const body = '7\r\n{"a":1}\r\n0\r\n\r\n'
  for (const padding of ['', ...spaces])
    t.same((await ask(t, answer([type, `transfer-encoding: chunked${padding}`], body))).value, { a: 1 })
  t.same((await ask(t, answer([type, 'Transfer-Encoding:\tChunked '], body))).value, { a: 1 })
  // undici's parser does not know it for chunks: it would take their sizes for the body.
  for (const padding of withTabs) {
    t.match(await failure(ask(t, socket => socket.end(answer([type, `transfer-encoding: chunked${padding}`], body)))), {
      code: 'UPSTREAM_PROTOCOL',
      message: /not chunked/,
    })
  }
})

test('white space behind the names of a type and of a coding is not part of them', async t => {
  const body = gzipSync('{}')
  for (const padding of [...spaces, ...withTabs]) {
    t.same(
      (
        await ask(
          t,
          answer([`${type}${padding}`, `content-encoding: gzip${padding}`, `content-length: ${body.length}`], body),
        )
      ).value,
      {},
    )
    t.same(
      (
        await ask(
          t,
          answer(
            [`${type}; charset=utf-8${padding}`, `content-encoding: identity${padding}`, 'content-length: 2'],
            '{}',
          ),
        )
      ).value,
      {},
    )
  }
  t.match(
    await failure(ask(t, answer([type, 'content-encoding: gzip\xa0', `content-length: ${body.length}`], body))),
    { code: 'UPSTREAM_ENCODING' },
    'other white space is',
  )
})

test('a schema of headers sees values without white space around them', async t => {
  const every = operation({ path: '/', output: z.unknown(), responseHeaders: z.record(z.string(), z.unknown()) })
  const lines = [
    type,
    'content-length: 2 ',
    'x-one:\t 1 \t',
    'x-many: a ',
    'x-many: b',
    'x-many:\tc\t',
    'x-empty: \t ',
    'x-within: a \t b ',
    'x-other: \xa0a\xa0',
  ]
  t.same((await ask(t, answer(lines, '{}'), every)).value, {
    body: {},
    headers: {
      'content-type': 'application/json',
      'content-length': '2',
      'x-one': '1',
      'x-many': ['a', 'b', 'c'],
      'x-empty': '',
      'x-within': 'a \t b',
      'x-other': '\xa0a\xa0',
    },
  })
})

test('a stored body is read and stored without white space', async t => {
  const held = new Map<string, Entry>()
  const store: CacheStore = {
    storage: 'bodies',
    get(key) {
      const entry = held.get(key)
      return entry && { entry, generation: entry.generation }
    },
    set: (key, _uri, entry) => held.set(key, entry),
    delete: key => held.delete(key),
    invalidate: () => {},
  }
  const kept = operation({ path: '/', output: z.unknown(), cache: true })
  const lines = [
    type,
    'content-length: 2 ',
    'cache-control: max-age=60 \t',
    'etag: "1"\t',
    'vary: accept ',
    'age: 1 ',
    `date: ${new Date().toUTCString()} `,
  ]
  const { send, upstream } = await wire(t, answer(lines, '{}'), kept, {}, { cacheStore: store })
  t.match(await send(), { value: {}, cached: { cache: 'miss' } })
  t.match(await send(), { value: {}, cached: { cache: 'hit' } })
  t.equal(upstream.requests.length, 1)
  t.match([...held.values()][0], {
    head: { 'content-type': 'application/json', etag: '"1"', vary: 'accept', age: '1' },
  })
})

test('a head without white space behind its values is handed on as it is', t => {
  const head = { a: '1', b: ['2', '3 4'], c: '' }
  t.equal(withoutWhiteSpace(head), head)
  t.same(withoutWhiteSpace({ a: '1', b: ['2', '3 '], c: undefined }), { a: '1', b: ['2', '3'], c: undefined })
  t.same(
    Object.entries(
      withoutWhiteSpace(
        Object.fromEntries([
          ['__proto__', 'a '],
          ['toString', 'b\t'],
        ]),
      ),
    ),
    [
      ['__proto__', 'a'],
      ['toString', 'b'],
    ],
    'whatever its name is',
  )
  t.end()
})

test('values of any length lose the white space at their end, and nothing else', t => {
  const text = fc.string({ unit: fc.constantFrom(' ', '\t', 'a', '\xa0'), maxLength: 20 })
  fc.assert(
    fc.property(text, fc.constantFrom('', ' ', '\t'), (value, end) => {
      const { a } = withoutWhiteSpace({ a: `${value}x${end}`, b: ' ' }) as { readonly a: string }
      return a === `${value}x`
    }),
  )
  const run = ' '.repeat(16_000)
  t.equal(withoutWhiteSpace({ a: `${run}x${run}` })['a'], `${run}x`)
  t.end()
})

test('only a body of the length that its head gives is complete', t => {
  const mismatch = Object.assign(new Error('mismatch'), { code: 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' })
  t.ok(isComplete(mismatch, { 'content-length': '2' }, 2))
  t.notOk(isComplete(mismatch, { 'content-length': '2' }, 1))
  t.notOk(isComplete(mismatch, {}, 0), 'no head has come')
  t.notOk(isComplete(new Error('other'), { 'content-length': '2' }, 2))
  t.end()
})
