import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse, skip, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { promisesOf } from '../helpers/promises.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const runtime = answeringRuntime(path => path)
const open = (deadline = 10_000) =>
  aggregate('hooked', {
    url: '/hooked',
    deadline,
    query: z.object({ user: z.string().default('ada') }),
    headers: z.object({ 'x-tenant': z.string().optional() }),
  })
const never = () => new Promise<never>(() => {})

test('the value of context() is the context of every step, the merge and onReply()', async t => {
  for (const context of [() => ({ user: 'ada' }), async () => ({ user: 'ada' })]) {
    const seen: Record<string, unknown> = {}
    const described = open()
      .context(context)
      .required('a', ({ context }) => {
        seen['a'] = context
        return 1
      })
      .optional(
        'b',
        ({ context }) => {
          seen['b'] = context
          return 1
        },
        { fallback: null, needs: ['a'] },
      )
      .each('c', ({ context }) => {
        seen['c'] = context
        return []
      })
      .firstOf(
        'd',
        ({ context }) => {
          seen['d'] = context
          return [oracle.ask({ id: 1 })]
        },
        { timeout: 1000 },
      )
      .reply(Any, ({ context }) => {
        seen['merge'] = context
        return context.user
      })
      .onReply(({ context }) => {
        seen['onReply'] = context
      })
    t.equal((await fanOut(described, {}, { runtime })).data, 'ada')
    t.same(Object.keys(seen).sort(), ['a', 'b', 'c', 'd', 'merge', 'onReply'])
    t.equal(new Set(Object.values(seen)).size, 1, 'one and the same')
  }
})

test('context() has the input of the steps, and no headers beside those of the schema', async t => {
  const described = open()
    .context(({ query, headers, signal, params }) => ({ query, headers, params, aborted: signal.aborted }))
    .reply(Any, ({ context }) => context)
  t.same(
    (await fanOut(described, { query: { user: 'bob' }, headers: { 'x-tenant': 'a', cookie: 'secret' } }, { runtime }))
      .data,
    {
      query: { user: 'bob' },
      headers: { 'x-tenant': 'a' },
      params: {},
      aborted: false,
    },
  )
})

test('no step starts until context() has ended, and an invalid input never reaches it', async t => {
  let end: (context: string) => void = () => {}
  let asked = 0
  const held = heldRuntime()
  const described = open()
    .context(() => {
      asked++
      return new Promise<string>(resolve => {
        end = resolve
      })
    })
    .required('a', ({ context }) => oracle.ask({ id: context }))
    .reply(Any, ({ a }) => a)
  const { reply, events } = watched(described, { runtime: held })
  await turn()
  t.same([asked, events.map(({ type }) => type), held.calls.length], [1, ['run started'], 0])
  end('known')
  ;(await held.arrived('/known')).answer('well')
  t.equal((await reply).data, 'well')
  t.same(
    events.map(({ type }) => type),
    ['run started', 'step started', 'step ended', 'run ended'],
  )
  t.match(await problemOf(fanOut(described, { query: { user: 7 } }, { runtime })), { code: 'INPUT_INVALID' })
  t.equal(asked, 1)
})

test('context() may return a call, or await any number of calls', async t => {
  const said = open()
    .context(() => oracle.ask({ id: 'whoami' }))
    .reply(Any, ({ context }) => context)
  t.equal((await fanOut(said, {}, { runtime })).data, '/whoami')
  const waited = open()
    .context(async ({ ask, query }) => {
      const user = await ask(oracle.ask({ id: query.user }))
      const [a, b] = await Promise.all([ask(oracle.ask({ id: 'a' })), ask(oracle.tell({ id: 'b' }))])
      return [user, a, b]
    })
    .required('c', () => oracle.ask({ id: 'c' }))
    .reply(Any, ({ context }) => context)
  const { reply, run, events } = watched(waited, { runtime })
  const { data, sources } = await reply
  t.same(data, ['/ada', '/a', '/b'])
  t.same(Object.keys(sources), ['context', 'c'])
  t.match(sources['context'], { state: 'ok', calls: 3, ok: 3, failed: [] })
  t.same(
    events.map(event => ('step' in event ? event.step : event.type)),
    ['run started', -1, -1, 0, 0, 'run ended'],
  )
  t.equal(run.abort.size, 0)
})

test('an answer that context() does not await is rejected when the run has ended', async t => {
  const held = heldRuntime()
  let rejected: unknown
  const described = aggregate('left', { url: '/left' })
    .context(({ ask }) => {
      ask(oracle.ask({ id: 'a' })).catch((error: unknown) => {
        rejected = error
      })
      return { known: true }
    })
    .required('b', () => 1)
    .reply(z.number(), ({ b }) => b)
  t.equal((await fanOut(described, {}, { runtime: held })).data, 1)
  await turn()
  t.match(rejected, { name: 'AbortError', message: 'the run has ended' })
})

test('a failed call of context() fails the run as that of a required step does', async t => {
  const failing = answeringRuntime(() => {
    throw new UpstreamError('UPSTREAM_BUSY', 'oracle', { retryAfterMs: 7000 })
  })
  for (const described of [
    open()
      .context(() => oracle.ask({ id: 1 }))
      .required('a', () => 1)
      .reply(Any, () => 1),
    open()
      .context(({ ask }) => ask(oracle.ask({ id: 1 })))
      .required('a', () => 1)
      .reply(Any, () => 1),
  ]) {
    t.match(await problemOf(fanOut(described, {}, { runtime: failing })), {
      code: 'UPSTREAM_BUSY',
      statusCode: 503,
      retryAfterSeconds: 7,
      detail: 'oracle answered that it accepts no more calls for now.',
      sources: { context: { state: 'failed', code: 'UPSTREAM_BUSY' }, a: { state: 'cancelled', attempts: 0 } },
    })
  }
  const caught = open()
    .context(({ ask }) => ask(oracle.ask({ id: 1 })).catch(() => 'nobody'))
    .reply(Any, ({ context }) => context)
  t.equal((await fanOut(caught, {}, { runtime: failing })).data, 'nobody', 'and it may go on without')
  t.match(
    await problemOf(
      fanOut(
        open()
          .context(() => oracle.ask({ id: '' }))
          .reply(Any, () => 1),
        {},
        { runtime },
      ),
    ),
    { code: 'CALL_INPUT_INVALID', statusCode: 400 },
  )
})

test('context() may refuse, at once or later, and no step starts', async t => {
  for (const context of [() => refuse(401, 'Say who you are.'), async () => refuse(401, 'Say who you are.')]) {
    const described = open()
      .context(context)
      .required('a', () => t.fail('it was asked'))
      .reply(Any, () => 1)
    t.match(await problemOf(fanOut(described, {}, { runtime })), {
      code: 'REFUSED',
      statusCode: 401,
      detail: 'Say who you are.',
      sources: { a: { state: 'cancelled' } },
    })
  }
})

test('a bug in context() is a bug, and so is a value that cannot be a context', async t => {
  const wrong: readonly (readonly [() => unknown, object])[] = [
    [
      () => {
        throw new TypeError('hunter2')
      },
      { message: 'hunter2' },
    ],
    [
      async () => {
        throw new TypeError('hunter2')
      },
      { message: 'hunter2' },
    ],
    [() => skip, { message: 'context() cannot skip: return a value or a call' }],
    [() => [oracle.ask({ id: 1 })], { message: 'context() returned several calls: use ask' }],
  ]
  for (const [context, cause] of wrong) {
    const problem = await problemOf(
      fanOut(
        open()
          .context(context)
          .reply(Any, () => 1) as AnyAggregate,
        {},
        { runtime },
      ),
    )
    t.match(problem, { code: 'INTERNAL', statusCode: 500, cause })
    t.notMatch(JSON.stringify(problem), 'hunter2')
  }
  t.match(
    await problemOf(
      fanOut(
        open()
          .context(({ ask }) => ask(7 as never))
          .reply(Any, () => 1),
        {},
        { runtime },
      ),
    ),
    { code: 'INTERNAL', cause: { message: 'ask takes a call: ask(upstream.operation(input))' } },
  )
})

test('a context() that returns nothing guards the steps, and gives no context', async t => {
  const described = open()
    .context(({ query }) => {
      if (query.user === 'eve') refuse(403, 'Not you.')
    })
    .reply(Any, seen => 'context' in seen)
  t.equal((await fanOut(described, {}, { runtime })).data, false)
  t.match(await problemOf(fanOut(described, { query: { user: 'eve' } }, { runtime })), { statusCode: 403 })
})

test('the deadline includes context(): whatever it awaits, the run is a 504', async t => {
  const held = heldRuntime()
  const deaf = heldRuntime({ deaf: () => true })
  for (const [name, described] of Object.entries({
    thinking: open(30)
      .context(never)
      .optional('a', () => 1, { fallback: null })
      .reply(Any, () => 1),
    calling: open(30)
      .context(() => oracle.ask({ id: 1 }))
      .optional('a', () => 1, { fallback: null })
      .reply(Any, () => 1),
    asking: open(30)
      .context(({ ask }) => ask(oracle.ask({ id: 2 })))
      .optional('a', () => 1, { fallback: null })
      .reply(Any, () => 1),
    unsafe: open(30)
      .context(({ ask }) => ask(oracle.tell({ id: 3 })))
      .optional('a', () => 1, { fallback: null })
      .reply(Any, () => 1),
  })) {
    for (const upstream of [held, deaf]) {
      const { reply, run } = watched(described, { runtime: upstream })
      t.match(
        await problemOf(reply),
        {
          code: 'DEADLINE_EXCEEDED',
          statusCode: 504,
          detail: 'hooked did not end before its deadline: the limit is 30 ms.',
          sources: { a: { state: 'cancelled' } },
        },
        name,
      )
      t.equal(run.abort.size, 0)
    }
  }
})

test('a caller that goes while context() waits ends the run, and its unsafe call is waited for', async t => {
  const held = heldRuntime({ deaf: path => path === '/unsafe' })
  const gone = new Error('gone')
  const safe = watched(
    open()
      .context(() => oracle.ask({ id: 'safe' }))
      .reply(Any, () => t.fail('it was merged')),
    { runtime: held },
  )
  safe.run.cancel(gone)
  await t.rejects(safe.reply, gone)
  t.equal(held.at('/safe').cut?.reason, gone)

  const unsafe = watched(
    open()
      .context(({ ask }) => ask(oracle.tell({ id: 'unsafe' })))
      .reply(Any, () => t.fail('it was merged')),
    { runtime: held },
  )
  let ended = false
  unsafe.reply.catch(() => {
    ended = true
  })
  unsafe.run.cancel(gone)
  await turn()
  t.equal(ended, false)
  held.at('/unsafe').answer('done')
  await t.rejects(unsafe.reply, gone)
})

test('onReply() has the reply as it is sent, and returns headers of it', async t => {
  const seen: unknown[] = []
  const described = open()
    .context(() => 'ada')
    .optional('a', () => oracle.ask({ id: 'lost' }), { fallback: null })
    .reply(z.object({ text: z.string().default('none') }), () => ({}))
    .onReply(({ data, complete, sources, context, query }) => {
      seen.push({ data, complete, state: sources.a.state, context, query })
      return { headers: { 'X-User': context, 'set-cookie': ['a=1', 'b=2'] } }
    })
  const failing = answeringRuntime(() => {
    throw new UpstreamError('UPSTREAM_RESET', 'oracle')
  })
  const reply = await fanOut(described, {}, { runtime: failing })
  t.same(seen, [{ data: { text: 'none' }, complete: false, state: 'fallback', context: 'ada', query: { user: 'ada' } }])
  t.match(reply, {
    data: { text: 'none' },
    complete: false,
    headers: { 'x-user': 'ada', 'set-cookie': ['a=1', 'b=2'] },
  })
  t.notOk(
    'headers' in
      (await fanOut(
        open().reply(Any, () => 1),
        {},
        { runtime },
      )),
  )
  for (const nothing of [() => {}, () => undefined, async () => {}, () => ({})]) {
    t.notOk(
      'headers' in
        (await fanOut(
          open()
            .reply(Any, () => 1)
            .onReply(nothing),
          {},
          { runtime },
        )),
    )
  }
})

test('onReply() has a copy: its changes do not reach the value of the merge', async t => {
  const always = { list: [1] }
  const changing = open()
    .reply(z.object({ list: z.array(z.number()) }), () => always)
    .onReply(({ data }) => {
      data.list.push(2)
    })
  await fanOut(changing, {}, { runtime })
  t.same(always, { list: [1] })
})

test('onReply() does not run when there is no reply', async t => {
  const onReply = () => {
    t.fail('it ran')
  }
  for (const described of [
    open()
      .context(() => refuse(401, 'no'))
      .reply(Any, () => 1)
      .onReply(onReply),
    open()
      .required('a', (): number => refuse(404, 'no'))
      .reply(Any, () => 1)
      .onReply(onReply),
    open()
      .reply(Any, () => refuse(404, 'no'))
      .onReply(onReply),
    open()
      .reply(z.string(), () => 7 as unknown as string)
      .onReply(onReply),
  ])
    await problemOf(fanOut(described as AnyAggregate, {}, { runtime }))
})

test('onReply() may refuse or fail, at once or later, and the reply is not sent', async t => {
  const failures: readonly (readonly [() => never, object])[] = [
    [() => refuse(403, 'Not for you.'), { code: 'REFUSED', statusCode: 403, detail: 'Not for you.' }],
    [
      () => {
        throw new UpstreamError('UPSTREAM_UNREACHABLE', 'audit')
      },
      { code: 'UPSTREAM_UNREACHABLE', statusCode: 502 },
    ],
    [
      () => {
        throw new Error('hunter2')
      },
      { code: 'INTERNAL', statusCode: 500, cause: { message: 'hunter2' } },
    ],
  ]
  for (const [fail, problem] of failures) {
    for (const onReply of [fail, async () => fail()]) {
      t.match(
        await problemOf(
          fanOut(
            open()
              .required('a', () => 1)
              .reply(Any, () => 1)
              .onReply(onReply),
            {},
            { runtime },
          ),
        ),
        { ...problem, sources: { a: { state: 'ok' } } },
      )
    }
  }
})

test('headers that are ours, or no headers, are a bug that is named', async t => {
  for (const [headers, message] of [
    [
      { 'Content-Type': 'text/html' },
      "onReply() returned the header 'Content-Type', which only the service sets: remove it",
    ],
    [
      { 'headwaters-complete': '?1' },
      "onReply() returned the header 'headwaters-complete', which only the service sets: remove it",
    ],
    [
      JSON.parse('{ "__proto__": ["1"] }') as never,
      "onReply() returned the header '__proto__', which cannot be sent: rename it",
    ],
    [
      JSON.parse('{ "__PROTO__": "1" }') as never,
      "onReply() returned the header '__PROTO__', which cannot be sent: rename it",
    ],
    [{ 'x y': '1' }, "onReply() returned 'x y', which is not a valid header name"],
    [new Map([['x-a', '1']]) as never, 'headers of onReply() must be a plain object such as'],
    [new Headers({ 'x-a': '1' }) as never, 'headers of onReply() must be a plain object such as'],
    [null as never, "headers of onReply() must be an object such as { 'x-a': '1' }, got null"],
    [
      { 'x-a': '1', 'X-A': '2' },
      "onReply() returned the header 'X-A' in two spellings: return several values as a list",
    ],
    [{ 'x-a': 'a\r\nb: c' }, "onReply() returned an invalid value of the header 'x-a'"],
    [{ 'x-a': ['fine', 'a\nb'] }, "onReply() returned an invalid value of the header 'x-a'"],
    [{ 'x-a': 7 as never }, "onReply() returned an invalid value of the header 'x-a'"],
    [
      { 'x-a': 'Zo\u00eb \u20ac' },
      "onReply() returned an invalid value of the header 'x-a': U+20AC is a control character or beyond " +
        'Latin-1: encode the value, for example with encodeURIComponent(…)',
    ],
    [
      { expires: new Date(0) as never },
      "onReply() returned an invalid value of the header 'expires': it must be a string, got a Date",
    ],
    [
      { 'x-a': undefined as never },
      "onReply() returned an invalid value of the header 'x-a': it must be a string such as 'cats/1.0', got undefined",
    ],
  ] as const) {
    for (const onReply of [() => ({ headers }), async () => ({ headers })]) {
      t.match(
        await problemOf(
          fanOut(
            open()
              .reply(Any, () => 1)
              .onReply(onReply),
            {},
            { runtime },
          ),
        ),
        { code: 'INTERNAL', cause: { name: 'TypeError', message: `aggregate 'hooked': ${message}` } },
      )
    }
  }
})

test('an onReply() that has not ended by the deadline is a 504, and one that begins then has a grace period', async t => {
  t.match(
    await problemOf(
      fanOut(
        open(30)
          .reply(Any, () => 1)
          .onReply(never),
        {},
        { runtime },
      ),
    ),
    { code: 'DEADLINE_EXCEEDED', statusCode: 504 },
  )
  const late = open(30)
    .optional('a', () => new Promise<string>(() => {}), { fallback: 'fallback' })
    .reply(Any, ({ a }) => a)
  t.match(
    await fanOut(
      late.onReply(async () => ({ headers: { 'x-late': 'yes' } })),
      {},
      { runtime },
    ),
    { data: 'fallback', complete: false, headers: { 'x-late': 'yes' } },
  )
  t.match(await problemOf(fanOut(late.onReply(never), {}, { runtime })), { code: 'DEADLINE_EXCEEDED', statusCode: 504 })
})

test('a caller that goes while onReply() waits ends the run, and the result of onReply() is ignored', async t => {
  let end: () => void = () => {}
  const described = open()
    .reply(Any, () => 1)
    .onReply(
      () =>
        new Promise<undefined>(resolve => {
          end = () => resolve(undefined)
        }),
    )
  const { run, reply, events } = watched(described, { runtime })
  const gone = new Error('gone')
  run.cancel(gone)
  await t.rejects(reply, gone)
  end()
  await turn()
  t.same(
    events.map(({ type }) => type),
    ['run started', 'run ended'],
  )
})

test('a caller that goes while the merge waits keeps onReply() from running', async t => {
  let end: (value: number) => void = () => {}
  const described = open()
    .reply(
      Any,
      () =>
        new Promise<number>(resolve => {
          end = resolve
        }),
    )
    .onReply(() => {
      t.fail('it ran')
    })
  const { run, reply } = watched(described, { runtime })
  run.cancel(new Error('gone'))
  await t.rejects(reply, { message: 'gone' })
  end(1)
  await turn()
})

test('hooks that are sync add no promise, and async ones do', async t => {
  const counted = (described: AnyAggregate) => promisesOf(() => watched(described, { runtime }).reply)
  const without = () =>
    open()
      .required('a', () => oracle.ask({ id: 1 }))
      .reply(Any, ({ a }) => a)
  await counted(without())
  const promises = await counted(without())
  const sync = open()
    .context(() => ({ user: 'ada' }))
    .required('a', () => oracle.ask({ id: 1 }))
    .reply(Any, ({ a }) => a)
    .onReply(() => ({ headers: { 'x-a': '1' } }))
  t.equal(await counted(sync), promises)
  t.equal(
    await counted(
      open()
        .context(() => {})
        .required('a', () => oracle.ask({ id: 1 }))
        .reply(Any, ({ a }) => a),
    ),
    promises,
  )
  const later = open()
    .context(async () => ({ user: 'ada' }))
    .required('a', () => oracle.ask({ id: 1 }))
    .reply(Any, ({ a }) => a)
  t.ok((await counted(later)) > promises)
  t.ok((await counted(without().onReply(async () => {}))) > promises)
})

test('whatever mix of sync and async hooks, steps and merge, the reply is the same', async t => {
  const five = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
  await fc.assert(
    fc.asyncProperty(five, fc.boolean(), async ([context, one, two, merge, onReply], calls) => {
      const mixed = <T>(isLate: boolean, value: T) => (isLate ? turn().then(() => value) : value)
      const described = open()
        .context(({ ask }) => (calls ? ask(oracle.ask({ id: 'user' })) : mixed(context, '/user')))
        .required('one', ({ context }) => mixed(one, `${String(context)} one`))
        .optional('two', ({ context }) => mixed(two, `${String(context)} two`), { fallback: null })
        .reply(Any, ({ one, two, context }) => mixed(merge, [context, one, two]))
        .onReply(({ data }) => mixed(onReply, { headers: { 'x-data': JSON.stringify(data) } }))
      const { data, complete, headers } = await fanOut(described, {}, { runtime })
      const wanted = ['/user', '/user one', '/user two']
      return (
        JSON.stringify({ data, complete, headers }) ===
        JSON.stringify({ data: wanted, complete: true, headers: { 'x-data': JSON.stringify(wanted) } })
      )
    }),
    { numRuns: 100 },
  )
  t.pass('held for 100 mixes')
})

test('a hook that is not a function or is in the wrong place is refused when it is declared', t => {
  const described = open().context(() => 1)
  const message = "aggregate 'hooked': context() may be called only once, and only before the first step"
  t.throws(() => (described as unknown as ReturnType<typeof open>).context(() => 1), { message })
  t.throws(() => (open().required('a', () => 1) as unknown as ReturnType<typeof open>).context(() => 1), { message })
  t.throws(() => open().context('auth' as never), {
    message: "aggregate 'hooked': context() needs a function that returns the context",
  })
  const ended = open().reply(Any, () => 1)
  t.throws(() => (ended.onReply(() => {}) as typeof ended).onReply(() => {}), {
    message: "aggregate 'hooked': onReply() may be called only once",
  })
  t.throws(() => ended.onReply('audit' as never), { message: "aggregate 'hooked': onReply() needs a function" })
  t.notOk(ended.hooks.onReply, 'a new value, not a changed one')
  t.end()
})
