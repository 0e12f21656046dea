import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { flood } from './helpers/flood.ts'
import { until } from '../helpers/until.ts'

const quick = aggregate('quick', { url: '/v1/quick' })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)
const sink = aggregate('sink', { url: '/v1/sink', body: z.unknown() })
  .required('now', () => 1)
  .reply(z.number(), ({ now }) => now)

async function serving(t: Test, options: AppOptions = {}) {
  // The floods of this process make its event loop late, so the delay of the loop is not limited.
  const pressure = { loopDelay: 0, ...options.pressure }
  const app = buildApp([quick, sink], { limits: { bodyBytes: 64 * 1024 }, ...options, pressure })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server
}

const block = Buffer.alloc(64 * 1024, ' ')
const chunk = Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')])

const json = 'content-type: application/json\r\n'
const csv = 'content-type: text/csv\r\n'
const start = (line: string, headers = '') => `${line} HTTP/1.1\r\nhost: a\r\n${headers}`

/**
 * Bytes that may be read of a body that is refused: those that come before the answer, and those that are discarded
 * after it.
 */
const bound = 512 * 1024

const refusals: readonly (readonly [what: string, status: number, head: string, options?: AppOptions])[] = [
  ['a path that does not exist', 404, start('POST /nowhere', csv)],
  ['a path that does not exist, with JSON', 404, start('POST /nowhere', json)],
  ['a path that cannot be read', 400, start('POST /v1/%zz', json)],
  ['a method that is not served', 405, start('POST /v1/quick', json)],
  ['a method that is not served at a fixed path', 405, start('PUT /health/live')],
  ['a body that is too large', 413, start('POST /v1/sink', json)],
  ['a content type that is not JSON', 415, start('POST /v1/sink', csv)],
  ['a content type that cannot be read', 415, start('POST /v1/sink', 'content-type: /\r\n')],
  ['a content coding', 415, start('POST /v1/sink', `${json}content-encoding: gzip\r\n`)],
  ['a client that awaits 100-continue', 415, start('POST /v1/sink', `${csv}expect: 100-continue\r\n`)],
  ['an expectation that cannot be met', 417, start('POST /v1/sink', `${json}expect: foo\r\n`)],
  ['two hosts', 400, start('POST /v1/sink', `${json}host: b\r\n`)],
  ['no key', 401, start('POST /v1/sink', json), { keys: ['first-key-0123456789'] }],
  ['an app that is overloaded', 503, start('POST /v1/sink', json), { pressure: { heapPercent: 0.001 } }],
  ['GET', 200, start('GET /v1/quick')],
  ['HEAD', 200, start('HEAD /v1/quick')],
  ['DELETE', 405, start('DELETE /v1/quick')],
  ['GET /health/live', 200, start('GET /health/live')],
  ['GET /docs', 200, start('GET /docs')],
  ['GET /docs/', 308, start('GET /docs/')],
  ['GET /openapi.json', 200, start('GET /openapi.json')],
  ['OPTIONS', 204, start('OPTIONS /v1/quick')],
  [
    'a preflight',
    204,
    start('OPTIONS /v1/quick', 'origin: https://a.example\r\naccess-control-request-method: POST\r\n'),
    { corsOrigins: ['https://a.example'] },
  ],
]

test('an endless body that is not read closes its connection behind the answer, after a bounded number of bytes', async t => {
  const plain = await serving(t)
  await Promise.all(
    refusals.flatMap(([what, status, head, options]) =>
      (
        [
          ['with a length', 'content-length: 99999999999\r\n\r\n', block],
          ['in chunks', 'transfer-encoding: chunked\r\n\r\n', chunk],
        ] as const
      ).map(async ([how, framing, piece]) => {
        const server = options === undefined ? plain : await serving(t, options)
        // The process is looked at for the first time after 250 ms.
        if (options?.pressure !== undefined)
          await until(async () => {
            const { port } = server.address() as { readonly port: number }
            return (await fetch(`http://127.0.0.1:${port}/v1/quick`)).status === 503
          })
        const { answers, left, read } = await flood(server, head + framing, piece, head.startsWith('HEAD'))
        t.same(
          answers.map(each => each.status),
          [status],
          `${what}, ${how}: one answer`,
        )
        t.equal(answers[0]?.headers.get('connection'), 'close')
        t.equal(left, '')
        t.ok(read < bound, `${what}, ${how}: ${read} bytes were read`)
      }),
    ),
  )
})

test('an endless body behind a client that was refused for its rate is not read', async t => {
  const server = await serving(t, { rateLimit: 1 })
  t.equal(
    (await fetch(`http://127.0.0.1:${(server.address() as { readonly port: number }).port}/v1/quick`)).status,
    200,
  )
  const { answers, read } = await flood(
    server,
    `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n`,
    chunk,
  )
  t.same(
    answers.map(each => each.status),
    [429],
  )
  t.ok(read < bound, `${read} bytes were read`)
})

/** Bytes that may come in the time between two looks at the connections, on a machine that is slow to look. */
const strayBound = 256 * 1024 * 1024

const strays: readonly (readonly [what: string, statuses: readonly number[], head: string, piece: string])[] = [
  ['empty lines before a request', [400], '\r\n', '\r\n'],
  ['line feeds before a request', [400], '\n', '\n'],
  ['empty lines after a request', [200, 400], `${start('GET /health/live')}\r\n`, '\r\n'],
  ['white space before the value of a header', [400], 'GET / HTTP/1.1\r\nhost:', ' '],
  ['zeros of the size of a chunk', [400], `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n`, '0'],
  [
    'an extension of each of many chunks',
    [400],
    `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n`,
    `1;${'a'.repeat(1000)}\r\n \r\n`,
  ],
  [
    'bytes that the parser ignores after a request with Upgrade',
    [404],
    `${start('POST /nowhere', 'connection: upgrade\r\nupgrade: h2c\r\n')}transfer-encoding: chunked\r\n\r\n`,
    'a',
  ],
]

test('endless bytes that are not part of a request close their connection', async t => {
  const server = await serving(t)
  for (const [what, statuses, head, piece] of strays) {
    const { answers, read } = await flood(server, head, Buffer.from(piece.repeat((64 * 1024) / piece.length)))
    t.same(
      answers.map(each => each.status),
      statuses,
      what,
    )
    t.ok(read < strayBound, `${what}: ${read} bytes were read`)
  }
})

const limited: readonly (readonly [what: string, status: number, head: string, piece: string])[] = [
  ['one extension of a chunk', 400, `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n2;`, 'a'],
  ['spaces after the size of a chunk', 400, `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n2`, ' '],
  ['one trailer', 431, `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: `, 'a'],
  [
    'many trailers',
    431,
    `${start('POST /v1/sink', json)}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n`,
    'x-a: b\r\n',
  ],
  ['a URL', 431, 'GET /', 'a'],
  ['a method', 400, 'G', 'A'],
  ['spaces after the protocol', 400, 'GET / HTTP/1.1', ' '],
  ['a header', 431, 'GET / HTTP/1.1\r\nx: ', 'a'],
  ['headers without a value', 431, 'GET / HTTP/1.1\r\n', 'x:\r\n'],
  ['a header of many lines', 400, 'GET / HTTP/1.1\r\nx: a\r\n', ' a\r\n'],
  ['zeros of a length', 431, 'POST / HTTP/1.1\r\ncontent-length: ', '0'],
  ['bytes that are not HTTP', 400, 'rubbish\r\n\r\n', 'a'],
  ['bytes behind CONNECT', 405, 'CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n', 'a'],
]

test('an endless part of a request is refused with a whole answer, and its connection is closed', async t => {
  const server = await serving(t)
  await Promise.all(
    limited.map(async ([what, status, head, piece]) => {
      const { answers, left, read } = await flood(server, head, Buffer.from(piece.repeat((64 * 1024) / piece.length)))
      t.same(
        answers.map(each => each.status),
        [status],
        what,
      )
      t.equal(left, '')
      t.ok(read < bound, `${what}: ${read} bytes were read`)
    }),
  )
})
