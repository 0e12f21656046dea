import { once } from 'node:events'
import { connect } from 'node:net'
import fastify, { type FastifyBaseLogger, type FastifyError, type FastifyServerOptions } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/index.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { logLines } from '../helpers/log-lines.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

type Line = Readonly<Record<string, unknown>>

/** An app of others with its own logger. */
async function arrange(
  t: Test,
  {
    script = json('well'),
    hasErrorHandler = false,
    logCompletePercent,
    app: appOptions = {},
    level = 'debug',
  }: {
    readonly script?: Script
    readonly hasErrorHandler?: boolean
    readonly logCompletePercent?: number
    readonly app?: FastifyServerOptions
    readonly level?: string
  } = {},
) {
  const raw = await rawUpstream(t, script)
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, breaker: false },
    {
      get: operation({ path: '/get', output: z.string() }),
      lost: operation({ path: '/lost', output: z.number() }),
    },
  )
  const { lines, stream, line } = logLines<Line>()
  const app = fastify({ logger: { level, stream }, ...appOptions })
  if (hasErrorHandler)
    app.setErrorHandler((error: FastifyError, _request, reply) =>
      reply.code(error.statusCode ?? 500).send({ theirs: true }),
    )
  await app.register(headwaters, {
    aggregates: [
      aggregate('whole', { url: '/whole/{id}', params: z.object({ id: z.string() }) })
        .required('one', () => cats.get())
        .reply(z.unknown(), () => 1),
      aggregate('partial', { url: '/partial' })
        .optional('one', () => cats.lost(), { fallback: null })
        .reply(z.unknown(), () => 1),
      aggregate('failed', { url: '/failed' })
        .required('one', () => cats.lost())
        .reply(z.unknown(), () => 1),
      aggregate('bug', { url: '/bug' }).reply(z.unknown(), () => {
        throw new Error('a bug')
      }),
      aggregate('refused', { url: '/refused' }).reply(z.unknown(), () => refuse(404, 'There is no such cat.')),
    ],
    ...(logCompletePercent !== undefined && { logCompletePercent }),
  })
  const get = await listening(t, app)
  const isOurs = ({ aggregate: name }: Line) => name !== undefined
  return {
    raw,
    get,
    lines,
    port: Number(new URL(app.listeningOrigin).port),
    ours: () => lines.filter(isOurs),
    ourLine: () => line(isOurs),
  }
}

for (const hasErrorHandler of [false, true])
  test(`each run has one line, ${hasErrorHandler ? 'with' : 'without'} an error handler of the app`, async t => {
    const { get, ours, lines } = await arrange(t, { hasErrorHandler })
    for (const [path, status, line] of [
      [
        '/whole/7',
        200,
        {
          level: 30,
          msg: 'run completed',
          aggregate: 'whole',
          url: '/whole/{id}',
          sources: { one: { state: 'ok', ms: Number, attempts: 1 } },
        },
      ],
      [
        '/partial',
        200,
        {
          level: 40,
          msg: 'reply is partial',
          aggregate: 'partial',
          sources: { one: { state: 'fallback', code: 'UPSTREAM_SCHEMA', upstream: 'cats', operation: 'lost' } },
        },
      ],
      [
        '/failed',
        502,
        {
          level: 40,
          msg: 'request failed',
          code: 'UPSTREAM_SCHEMA',
          why: /expected number/,
          aggregate: 'failed',
          step: 'one',
          upstream: 'cats',
          operation: 'lost',
          sources: { one: { state: 'failed', attempts: 1, code: 'UPSTREAM_SCHEMA' } },
        },
      ],
      [
        '/bug',
        500,
        {
          level: 50,
          msg: 'request failed: internal error',
          code: 'INTERNAL',
          err: { message: 'a bug' },
          aggregate: 'bug',
        },
      ],
      ['/refused', 404, { level: 20, msg: 'request refused', code: 'REFUSED', aggregate: 'refused' }],
    ] as const) {
      lines.length = 0
      t.equal((await get(path)).status, status)
      t.equal(ours().length, 1, path)
      t.match(ours()[0], { reqId: /^req-/, responseTime: Number, ...line })
      for (const field of ['req', 'res']) t.notOk(field in (ours()[0] as Line), field)
      t.equal(lines.filter(({ msg }) => msg === 'request completed').length, 1, 'the line of the app')
    }
  })

test('a run whose caller has closed the connection has a line', async t => {
  const { port, raw, ourLine } = await arrange(t, { script: () => {} })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /whole/7 HTTP/1.1\r\nhost: a\r\n\r\n')
  await raw.asked(1)
  socket.destroy()
  t.match(await ourLine(), {
    level: 30,
    msg: 'connection closed before the reply was complete',
    closedBy: 'caller',
    aggregate: 'whole',
    sources: { one: { state: 'cancelled', attempts: 1 } },
  })
})

test('logCompletePercent of the plugin gives the lines of the other complete runs the level debug', async t => {
  const { get, ours } = await arrange(t, { logCompletePercent: 10 })
  for (let times = 0; times < 20; times++) await get('/whole/7')
  const atInfo = ours().filter(({ level }) => level === 30).length
  t.ok(atInfo >= 1 && atInfo <= 3, `${atInfo} of 20`)
  t.equal(ours().filter(({ level }) => level === 20).length, 20 - atInfo)
  const quiet = await arrange(t, { logCompletePercent: 0, level: 'info' })
  await quiet.get('/whole/7')
  t.equal(quiet.ours().length, 0)
})

test('a logCompletePercent of the plugin that is not a number from 0 to 100 is refused', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await t.rejects(async () => app.register(headwaters, { aggregates: [], logCompletePercent: 101 }), {
    message: 'headwaters: logCompletePercent must be a number from 0 to 100, got 101',
  })
})

test('a logger without isLevelEnabled, and an app without a logger, work', async t => {
  const written: (readonly [unknown, string | undefined])[] = []
  const write = (fields: unknown, msg?: string) => {
    written.push([fields, msg])
  }
  const own = {
    level: 'info',
    info: write,
    warn: write,
    error: write,
    fatal: write,
    debug() {},
    trace() {},
    silent() {},
  }
  const loggerInstance: FastifyBaseLogger = { ...own, child: () => loggerInstance }
  const { get } = await arrange(t, { app: { logger: false, loggerInstance } })
  await get('/whole/7')
  t.match(
    written.find(([, msg]) => msg === 'run completed'),
    [{ aggregate: 'whole', sources: { one: { state: 'ok' } } }],
  )
  const silent = await arrange(t, { app: { logger: false } })
  t.equal((await silent.get('/whole/7')).status, 200)
})
