import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { fastify } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp, type AppOptions } from '../../src/app.ts'
import { safeListener } from '../../src/http/reply/safe-listener.ts'
import { aggregate, createRuntime, fanOut, headwaters, type RunEvent } from '../../src/index.ts'
import { brokenRules } from '../helpers/event-order.ts'
import { httpUpstream, type HttpUpstream } from '../helpers/http-upstream.ts'
import { listening } from '../helpers/listening.ts'
import { oracleAt } from '../helpers/oracle.ts'
import { untilEvent } from '../helpers/until.ts'

const params = z.object({ id: z.string() })

/** An aggregate with one call, whose path the caller chooses. */
function greetingOf({ origin }: HttpUpstream) {
  const { ask } = oracleAt(origin)
  return aggregate('greeting', { url: '/greetings/{id}', params })
    .optional('word', ({ params: { id } }) => ask({ id }), { fallback: 'nothing' })
    .reply(z.unknown(), ({ word }) => word)
}

const answering = (t: Test) => httpUpstream(t, ({ json }) => json('well'))

/** The log lines of an app, and the logger options that write them. */
function logged() {
  const lines: { readonly level: number; readonly msg: string }[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }
  return { logger: { stream }, lines, faults: () => lines.filter(({ msg }) => msg.startsWith('onEvent failed')) }
}

/** Serves an aggregate in the two ways. */
const ways = {
  buildApp: (greeting: ReturnType<typeof greetingOf>, options: Pick<AppOptions, 'onEvent' | 'logger'>) =>
    buildApp([greeting], options),
  plugin: (greeting: ReturnType<typeof greetingOf>, { logger = false, onEvent }: AppOptions) => {
    const app = fastify({ logger })
    void app.register(headwaters, { aggregates: [greeting], onEvent })
    return app
  },
}

for (const [way, serve] of Object.entries(ways)) {
  test(`${way}: onEvent receives the events of each run, with the run of each`, async t => {
    const greeting = greetingOf(await answering(t))
    const events: RunEvent[] = []
    const ask = await listening(
      t,
      serve(greeting, {
        onEvent: event => {
          events.push(event)
        },
      }),
    )
    const [one, two] = await Promise.all([
      ask('/greetings/a', { headers: { 'x-request-id': 'of-the-caller' } }),
      ask('/greetings/b'),
    ])
    t.same([one.status, two.status], [200, 200])
    const runs = Map.groupBy(events, ({ run }) => run)
    t.equal(runs.size, 2)
    t.same(
      new Set([...runs.keys()].map(({ requestId }) => requestId)),
      new Set([one, two].map(({ headers }) => headers.get('x-request-id'))),
    )
    for (const [run, own] of runs) {
      t.match(run, { aggregate: 'greeting', method: 'GET', url: '/greetings/{id}' })
      t.same(brokenRules(greeting, own), [])
    }
    t.equal((await ask('/other')).status, 404)
    t.equal(runs.size, 2, 'a request that starts no run has no events')
  })

  test(`${way}: an onEvent that throws or rejects changes no reply, and is logged once`, async t => {
    const greeting = greetingOf(await answering(t))
    for (const onEvent of [
      () => {
        throw new Error('the listener broke')
      },
      () => Promise.reject(new Error('the listener broke')),
    ] as readonly (() => void)[]) {
      const { logger, faults } = logged()
      let told = 0
      const heard: RunEvent[] = []
      const hear = (event: unknown) => {
        heard.push(event as RunEvent)
      }
      subscribe('headwaters:event', hear)
      t.teardown(() => unsubscribe('headwaters:event', hear))
      const ask = await listening(
        t,
        serve(greeting, {
          logger,
          onEvent: () => {
            told++
            return onEvent()
          },
        }),
      )
      const ids: (string | null)[] = []
      for (const id of ['a', 'b']) {
        const { status, body, headers } = await ask<{ readonly complete: boolean }>(`/greetings/${id}`)
        ids.push(headers.get('x-request-id'))
        t.same([status, body.complete], [200, true])
      }
      unsubscribe('headwaters:event', hear)
      t.equal(told, 14, 'it is called for the later events all the same')
      t.equal(heard.length, 14, 'the other watchers receive each event')
      t.match(faults(), [
        {
          level: 50,
          msg: 'onEvent failed; the reply does not change',
          err: { message: 'the listener broke' },
          event: 'run started',
          reqId: ids[0],
          aggregate: 'greeting',
        },
      ])
      t.equal(faults().length, 1)
    }
  })
}

test('the errors of a listener are logged once per minute at most', t => {
  const { logger, faults } = logged()
  const { log } = fastify({ logger })
  let now = 0
  const listener = safeListener(
    log,
    () => {
      throw new Error('it broke')
    },
    () => now,
  )
  const event = { type: 'run started', at: 0, run: { aggregate: 'any' } } as RunEvent
  for (const [at, count] of [
    [0, 1],
    [59_999, 1],
    [60_000, 2],
    [119_999, 2],
    [120_000, 3],
  ] as const) {
    now = at
    listener(event)
    t.equal(faults().length, count, `${at} ms`)
  }
  t.end()
})

test('a caller that closes its connection ends its run as cancelled', async t => {
  const upstream = await httpUpstream(t)
  const ended = new EventEmitter()
  const events: RunEvent[] = []
  const app = buildApp([greetingOf(upstream)], {
    onEvent: event => {
      events.push(event)
      ended.emit('event')
    },
  })
  const ask = await listening(t, app)
  const caller = new AbortController()
  const asked = ask('/greetings/a', { signal: caller.signal }).catch(() => {})
  await upstream.arrived('GET /a')
  caller.abort()
  await asked
  await untilEvent(ended, 'event', () => events.at(-1)?.type === 'run ended')
  t.match(events.slice(-2), [
    { type: 'step ended', state: 'cancelled' },
    { type: 'run ended', code: 'CANCELLED' },
  ])
})

test('a request that is refused before its run has no events', async t => {
  const events: RunEvent[] = []
  const described = aggregate('strict', { url: '/strict', query: z.object({ count: z.coerce.number() }) }).reply(
    z.unknown(),
    () => 1,
  )
  const app = buildApp([described], {
    onEvent: event => {
      events.push(event)
    },
  })
  const ask = await listening(t, app)
  t.equal((await ask('/strict?count=x')).status, 400)
  t.equal(events.length, 0)
})

test('two registrations of the plugin with one runtime have their own listeners', async t => {
  const greeting = greetingOf(await answering(t))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const told: string[] = []
  const app = fastify()
  for (const prefix of ['/one', '/two'])
    void app.register(headwaters, {
      aggregates: [greeting],
      prefix,
      runtime,
      onEvent: ({ type }) => {
        if (type === 'run started') told.push(prefix)
      },
    })
  const ask = await listening(t, app)
  await ask('/two/greetings/a')
  await ask('/one/greetings/a')
  await fanOut(greeting, { params: { id: 'a' } }, { runtime })
  t.same(told, ['/two', '/one'])
})

test('an onEvent that is not a function is refused', async t => {
  const message = / onEvent must be a function such as event => /
  t.throws(() => buildApp([], { onEvent: {} as never }), { name: 'TypeError', message })
  const app = fastify()
  await t.rejects(async () => app.register(headwaters, { aggregates: [], onEvent: {} as never }), {
    name: 'TypeError',
    message,
  })
})
