import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { aggregate, skip } from '../../src/fanout/aggregate.ts'
import { CompleteRunSampler } from '../../src/http/log/complete-run.ts'
import { loggerOptions } from '../../src/http/log/logger-options.ts'
import { Redaction } from '../../src/log/redaction.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { listening } from '../helpers/listening.ts'
import { logLines } from '../helpers/log-lines.ts'
import { json, rawUpstream, type Script } from '../helpers/raw-upstream.ts'

interface Line {
  readonly level: number
  readonly msg: string
  readonly sources?: Readonly<Record<string, object>>
  readonly [field: string]: unknown
}

const closed = 'connection closed before the reply was complete'

/** An app with aggregates that end in several ways, and the lines of its log. */
async function arrange(
  t: Test,
  { script = json('well'), ...options }: Partial<AppOptions> & { readonly script?: Script } = {},
) {
  const raw = await rawUpstream(t, script)
  const cats = defineUpstream(
    'cats',
    { origin: raw.origin, retry: false, breaker: false },
    {
      get: operation({ path: '/get', output: z.string() }),
      lost: operation({ path: '/lost', output: z.number() }),
      tell: operation({ path: '/tell', method: 'POST', output: z.string() }),
    },
  )
  const list = () => [cats.get(), cats.get()]
  const { lines, stream, line } = logLines<Line>()
  const app = buildApp(
    [
      aggregate('whole', { url: '/whole/{id}', params: z.object({ id: z.string() }), cacheControl: 'max-age=1' })
        .required('one', () => cats.get())
        .each('list', list)
        .optional('off', () => skip, { fallback: null })
        .reply(z.unknown(), () => 1),
      aggregate('other', { url: '/other' })
        .required('one', () => cats.get())
        .reply(z.unknown(), () => 1),
      aggregate('partial', { url: '/partial' })
        .optional('one', () => cats.lost(), { fallback: null })
        .reply(z.unknown(), () => 1),
      aggregate('failed', { url: '/failed' })
        .required('one', () => cats.lost())
        .reply(z.unknown(), () => 1),
      aggregate('unsafe', { url: '/unsafe', method: 'POST' })
        .required('told', () => cats.tell())
        .reply(z.unknown(), () => 1),
      aggregate('unwritable', { url: '/unwritable' })
        .required('one', () => cats.get())
        .reply(z.unknown(), () => ({
          toJSON() {
            throw new Error('a bug of a value')
          },
        })),
      aggregate('large', { url: '/large' }).reply(z.unknown(), () => 'x'.repeat(30_000_000)),
    ],
    {
      logger: { ...(loggerOptions({ level: 'debug', redaction: new Redaction([]) }) as object), stream },
      ...options,
    },
  )
  const get = await listening(t, app)
  return {
    raw,
    get,
    lines,
    port: Number(new URL(app.listeningOrigin).port),
    /** The lines that end a request. */
    ended: () => lines.filter(({ responseTime }) => responseTime !== undefined),
    said: (words: string) => line(({ msg }) => msg === words),
  }
}

test('the line of a complete run has the aggregate, its url template, and the state of each source', async t => {
  const { get, ended } = await arrange(t)
  const { headers } = await get('/whole/7?token=secret')
  await get('/whole/7', { headers: { 'if-none-match': headers.get('etag') as string } })
  for (const [index, statusCode] of [200, 304].entries()) {
    const { sources = {}, ...line } = ended()[index] as Line
    t.match(line, {
      level: 30,
      msg: 'request completed',
      req: { method: 'GET', url: '/whole/7' },
      res: { statusCode },
      aggregate: 'whole',
      url: '/whole/{id}',
    })
    t.match(sources, {
      one: { state: 'ok', ms: Number, attempts: 1 },
      list: { state: 'ok', ms: Number, attempts: 2, calls: 2, ok: 2 },
      off: { state: 'skipped', ms: Number, attempts: 0 },
    })
    t.same(
      Object.values(sources).map(source => Object.keys(source).length),
      [3, 5, 3],
      'no other field',
    )
  }
  t.equal(ended().length, 2)
})

test('logCompletePercent is the share of the complete runs of each aggregate whose line has the level info', async t => {
  for (const [logCompletePercent, expected, tolerance] of [
    [100, 20, 0],
    [50, 10, 2],
    [0, 0, 0],
  ] as const) {
    const { get, ended } = await arrange(t, { logCompletePercent })
    for (let times = 0; times < 20; times++) {
      await get('/whole/7')
      await get('/other')
    }
    const lines = ended()
    t.equal(lines.length, 40)
    const count = (name: string) => lines.filter(({ level, aggregate: of }) => level === 30 && of === name).length
    for (const name of ['whole', 'other'])
      t.ok(Math.abs(count(name) - expected) <= tolerance, `${count(name)} of ${name} at ${logCompletePercent} %`)
    for (const { level, sources } of lines) t.match({ level, sources }, { level: /^[23]0$/, sources: { one: {} } })
  }
})

test('a partial reply and a failure have their lines at any logCompletePercent', async t => {
  const { get, ended } = await arrange(t, { logCompletePercent: 0 })
  for (let times = 0; times < 3; times++) {
    await get('/partial')
    await get('/failed')
  }
  t.same(
    ended().map(({ level, msg }) => [level, msg]),
    [1, 2, 3].flatMap(() => [
      [40, 'reply is partial'],
      [40, 'request failed'],
    ]),
  )
})

test('a logCompletePercent that is not a number from 0 to 100 is refused', async t => {
  for (const wrong of [-1, 100.5, Number.NaN, '50'] as number[])
    t.throws(() => buildApp([], { logCompletePercent: wrong }), {
      message: `app: logCompletePercent must be a number from 0 to 100, got ${wrong}`,
    })
})

test('the sampler selects its share of any number of runs, and of each part of runs that take turns', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 3000 }),
      (percent, parts, runs) => {
        const sampler = new CompleteRunSampler(percent)
        const selected = Array.from({ length: parts }, () => 0)
        for (let run = 0; run < runs * parts; run++)
          if (sampler.shouldLog()) selected[run % parts] = (selected[run % parts] as number) + 1
        return selected.every(count => Math.abs(count - (runs * percent) / 100) <= 12)
      },
    ),
  )
})

test('the line of a run whose caller has closed the connection has its sources', async t => {
  const { port, raw, said, ended } = await arrange(t, { script: () => {} })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /whole/7 HTTP/1.1\r\nhost: a\r\n\r\n')
  await raw.asked(3)
  socket.destroy()
  t.match(await said(closed), {
    level: 30,
    closedBy: 'caller',
    aggregate: 'whole',
    url: '/whole/{id}',
    sources: {
      one: { state: 'cancelled', attempts: 1 },
      list: { state: 'cancelled', attempts: 2 },
      off: { state: 'skipped' },
    },
  })
  t.equal(ended().length, 1)
})

test('a run that waits for an unsafe call has one line when its caller closes the connection', async t => {
  const answers = Promise.withResolvers<undefined>()
  const { port, raw, said, ended, get } = await arrange(t, {
    script: async (socket, { path }) => {
      if (path === '/tell') await answers.promise
      socket.write(json('well'))
    },
  })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST /unsafe HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n')
  await raw.asked(1)
  socket.destroy()
  t.match(await said(closed), { level: 30, aggregate: 'unsafe', sources: { told: { attempts: 1 } } })
  answers.resolve(undefined)
  await get('/other')
  t.same(
    ended().map(line => line['aggregate']),
    ['unsafe', 'other'],
  )
})

test('a reply that cannot be written has the aggregate and the sources of its run', async t => {
  const { get, ended } = await arrange(t)
  t.equal((await get('/unwritable')).status, 500)
  t.equal(ended().length, 1)
  t.match(ended()[0], {
    level: 50,
    msg: 'request failed: internal error',
    code: 'INTERNAL',
    err: { message: 'a bug of a value' },
    aggregate: 'unwritable',
    sources: { one: { state: 'ok' } },
  })
})

test('a connection that closes within the reply of a run has a line at info, also if complete runs have none', async t => {
  const { port, said } = await arrange(t, { logCompletePercent: 0 })
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /large HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
  t.match(await said(closed), { level: 30, aggregate: 'large', url: '/large', sources: {} })
})
