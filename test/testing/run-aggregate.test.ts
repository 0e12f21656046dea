import { readFileSync } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { catfactNinja } from '../../src/clients/catfact-ninja.ts'
import { meowfacts } from '../../src/clients/meowfacts.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { catFacts } from '../../src/routes/cat-facts.ts'
import { runAggregate, scriptedUpstream, type RunAggregateOptions } from '../../src/testing/index.ts'
import { defineUpstream, env, operation } from '../../src/upstream/declare.ts'
import { failure } from '../helpers/failure.ts'
import { problemOf } from '../helpers/problem-of.ts'

async function cast(t: Test) {
  const [ninja, meow, pictures] = await Promise.all([scriptedUpstream(), scriptedUpstream(), scriptedUpstream()])
  t.teardown(() => Promise.all([ninja.close(), meow.close(), pictures.close()]))
  pictures.always('GET /v1/images/search', [{ id: 'a', url: 'http://cats.test/a', width: 1, height: 2 }])
  return { ninja, meow, pictures, upstreams: { 'catfact-ninja': ninja, meowfacts: meow, 'the-cat-api': pictures } }
}

test('runAggregate refuses an unknown option', async t => {
  const options = { upstreams: {}, timeout: 100 } as RunAggregateOptions<unknown>
  t.match(await failure(runAggregate(catFacts, {}, options)), {
    name: 'TypeError',
    message:
      "runAggregate: unknown option 'timeout': use upstreams, environment, deadline, signal, context, layers, snapshots",
  })
})

test('runAggregate runs an aggregate with the scripted answers of its upstreams', async t => {
  const { ninja, meow, upstreams } = await cast(t)
  ninja.answer(catfactNinja.fact, { fact: 'They purr.', length: 10 })
  meow.answer(meowfacts.facts, { data: ['They nap.'] })
  const { data, complete, sources, events } = await runAggregate(catFacts, { query: { count: '1' } }, { upstreams })
  const texts: string[] = data.facts.map(({ text }) => text)
  t.strictSame(texts, ['They purr.', 'They nap.'])
  t.equal(complete, true)
  t.equal(sources.ninja.state, 'ok')
  t.match(events[0], { type: 'run started', at: 0, run: { aggregate: 'cat-facts' } })
  t.match(events[1], { type: 'step started', step: 0, stepName: 'ninja' })
  t.match(events.at(-1), { type: 'run ended', code: undefined })
  t.match(meow.calls, [{ method: 'GET', path: '/', query: { count: '1' }, headers: { 'user-agent': 'headwaters' } }])
})

test('each fault comes out as the code it has in production', async t => {
  for (const [fault, code] of [
    ['reset', 'UPSTREAM_RESET'],
    ['garbage', 'UPSTREAM_PROTOCOL'],
    ['malformed', 'UPSTREAM_JSON'],
    ['hang', 'DEADLINE_EXCEEDED'],
  ] as const) {
    const { ninja, meow, upstreams } = await cast(t)
    ninja.answer('/fact', { fact: 'They purr.', length: 10 })
    // What may pass is asked for once more.
    meow[fault]()
    meow[fault]()
    const { data, complete, sources } = await runAggregate(
      catFacts,
      { query: { count: 1 } },
      { upstreams, deadline: 200 },
    )
    t.equal(complete, false)
    t.match(sources.meow, { state: 'fallback', code })
    t.equal(data.facts.length, 1)
  }
})

test('a failure is a problem, as fanOut gives it', async t => {
  const { ninja, meow, upstreams } = await cast(t)
  ninja.status(catfactNinja.fact, 503, { headers: { 'retry-after': '7' } })
  meow.always('*', { data: [] })
  const problem = await problemOf(runAggregate(catFacts, { query: { count: 1 } }, { upstreams }))
  t.match(problem, {
    code: 'UPSTREAM_BUSY',
    statusCode: 503,
    retryAfterSeconds: 7,
    sources: { ninja: { state: 'failed' } },
  })
  t.match(await problemOf(runAggregate(catFacts, { query: { count: 0 } }, { upstreams })), { code: 'INPUT_INVALID' })
})

test('an upstream without a script is named in the error, and nothing leaves the machine', async t => {
  const { ninja, meow } = await cast(t)
  ninja.always('*', { fact: 'They purr.', length: 10 })
  meow.always('*', { data: [] })
  await t.rejects(runAggregate(catFacts, {}, { upstreams: { 'catfact-ninja': ninja, meowfacts: meow } }), {
    message: "the aggregate 'cat-facts' calls the-cat-api.randomImage: give runAggregate an upstream for 'the-cat-api'",
  })
})

test('a caller that goes ends the run with its own reason', async t => {
  const { ninja, meow, upstreams } = await cast(t)
  ninja.hang()
  meow.always('*', { data: [] })
  const caller = new AbortController()
  const gone = t.rejects(runAggregate(catFacts, { query: { count: 1 } }, { upstreams, signal: caller.signal }), {
    message: 'gone',
  })
  await ninja.called(1)
  caller.abort(new Error('gone'))
  await gone
})

test('a context can be given, and the function of context() is not called then', async t => {
  const described = aggregate('greeting', { url: '/greeting' })
    .context((): { user: string } => {
      throw new Error('it was asked')
    })
    .reply(z.string(), ({ context }) => `Hello ${context.user}`)
  t.match(await runAggregate(described, {}, { upstreams: {}, context: { user: 'ada' } }), { data: 'Hello ada' })
  t.match(await problemOf(runAggregate(described, {}, { upstreams: {} })), {
    code: 'INTERNAL',
    cause: { message: 'it was asked' },
  })
  const without = aggregate('plain', { url: '/plain' }).reply(z.string(), () => 'x')
  await t.rejects(runAggregate(without, {}, { upstreams: {}, context: 1 as never }), {
    message: "the aggregate 'plain' has no context(): remove the option context",
  })
})

test('the calls of context() are in sources and in events, and a context that is given has none', async t => {
  const { meow, upstreams } = await cast(t)
  meow.always('*', { data: ['They meow.'] })
  const described = aggregate('greeting', { url: '/greeting' })
    .context(() => meowfacts.facts({ count: 1 }))
    .required('one', () => 1)
    .reply(z.string(), ({ context }) => context.data.join())
  const { sources, events } = await runAggregate(described, {}, { upstreams })
  t.match(sources.context, { state: 'ok', attempts: 1, status: 200 })
  t.match(events.slice(0, 2), [{ type: 'run started' }, { type: 'step started', step: -1, stepName: 'context' }])
  const given = await runAggregate(described, {}, { upstreams, context: { data: ['given'] } })
  t.same([given.data, given.sources.context], ['given', undefined])
  t.ok(given.events.every(event => !('step' in event) || event.step === 0))
})

test('an upstream without a scripted one is named although context() catches its failure', async t => {
  const described = aggregate('greeting', { url: '/greeting' })
    .context(({ ask }) => ask(meowfacts.facts({ count: 1 })).catch(() => ({ data: [] })))
    .reply(z.number(), ({ context }) => context.data.length)
  await t.rejects(runAggregate(described, {}, { upstreams: {} }), {
    message: /the aggregate 'greeting' calls meowfacts\.facts: give runAggregate an upstream for 'meowfacts'/,
  })
})

test('own layers stand around every upstream of the run', async t => {
  const { meow, upstreams } = await cast(t)
  meow.always('*', { data: [] })
  await runAggregate(
    aggregate('facts', { url: '/facts' })
      .required('facts', () => meowfacts.facts({ count: 1 }))
      .reply(z.null(), () => null),
    {},
    {
      upstreams,
      layers: { call: [next => call => next(call.with({ headers: { 'x-layer': call.operation } }))] },
    },
  )
  t.match(meow.calls, [{ headers: { 'x-layer': 'meowfacts.facts' } }])
})

test('secrets come from the environment that the test gives, and a token from an upstream of the test, never from elsewhere', async t => {
  await using upstream = await scriptedUpstream()
  await using tokens = await scriptedUpstream()
  upstream.always('*', { well: true })
  tokens.always('*', { access_token: 'abc', token_type: 'Bearer' })
  const ask = { ask: operation({ path: '/ask', output: z.object({ well: z.boolean() }) }) }
  const signed = (tokenUrl: string | ReturnType<typeof env>) => {
    const cats = defineUpstream(
      'cats',
      { origin: 'https://cats.example', auth: { oauth2: { tokenUrl, clientId: 'us', clientSecret: env('SECRET') } } },
      ask,
    )
    return aggregate('signed', { url: '/signed' })
      .required('it', () => cats.ask())
      .reply(z.unknown(), ({ it }) => it)
  }
  const environment = { SECRET: 's3cret', TOKEN_URL: `${tokens.origin}/token` }
  const { data } = await runAggregate(signed(env('TOKEN_URL')), {}, { upstreams: { cats: upstream }, environment })
  t.same(data, { well: true })
  t.equal(upstream.calls[0]?.headers.authorization, 'Bearer abc')

  t.match(
    await failure(
      runAggregate(signed('https://auth.example/token'), {}, { upstreams: { cats: upstream }, environment }),
    ),
    {
      code: 'UPSTREAM_AUTH',
      cause: { cause: { message: /^auth\.example is not the host of an upstream of runAggregate/ } },
    },
  )
  const { port } = new URL(upstream.origin)
  t.match(
    await runAggregate(
      signed(env('TOKEN_URL')),
      {},
      { upstreams: { cats: { origin: `http://localhost:${port}` } }, environment },
    ),
    { data: { well: true } },
    'its upstreams are found by name',
  )
})

test('a scripted upstream replaces the declared origin and its base path', async t => {
  await using upstream = await scriptedUpstream()
  const cats = defineUpstream(
    'cats',
    { origin: 'https://cats.example/v1' },
    { fact: operation({ path: '/fact', output: z.string() }) },
  )
  const card = aggregate('card', { url: '/card' })
    .required('fact', () => cats.fact())
    .reply(z.unknown(), ({ fact }) => fact)
  upstream.answer(cats.fact, 'They purr.')
  const { data } = await runAggregate(card, {}, { upstreams: { cats: upstream } })
  t.equal(data, 'They purr.')
  t.match(upstream.calls, [{ path: '/fact' }])
})

const cats = defineUpstream(
  'cats',
  { origin: 'https://cats.example' },
  {
    fact: operation({
      path: '/fact',
      query: z.object({ max_length: z.number(), of: z.array(z.string()).optional() }),
      output: z.object({ fact: z.string() }),
    }),
  },
)
const required = aggregate('required', { url: '/required' })
  .required('fact', () => cats.fact({ max_length: 5 }))
  .reply(z.unknown(), ({ fact }) => fact)
const optional = aggregate('optional', { url: '/optional' })
  .optional('fact', () => cats.fact({ max_length: 5, of: ['a b', 'c'] }), { fallback: null })
  .reply(z.unknown(), ({ fact }) => fact)

/** Returns the first place in this file that contains a text, as `FILE:LINE`. */
function placeOf(text: string): string {
  const before = readFileSync(import.meta.filename, 'utf8').split(text)[0] ?? ''
  return `${import.meta.filename}:${before.split('\n').length}`
}

test('a call for which nothing is queued rejects the run with the call and the line of the test', async t => {
  await using upstream = await scriptedUpstream()
  const error = await failure(runAggregate(required, {}, { upstreams: { cats: upstream } })) // the run that fails
  const message =
    "cats received GET /fact?max_length=5, for which nothing is queued: add upstream.answer('GET /fact', …) before runAggregate" +
    `\n  runAggregate was called at ${placeOf('// the run that fails')}`
  t.match(error, { name: 'Error', message, cause: { code: 'UPSTREAM_STATUS', statusCode: 502 } })
  const [head, frames = ''] = (error as Error).stack?.split(message) ?? []
  t.equal(head, 'Error: ')
  t.match(frames.split('\n')[1], import.meta.url, 'the stack begins in the test')
  t.match(upstream.unexpected, [{ path: '/fact' }])
})

test('a fallback does not hide a call for which nothing is queued, and the answers that were not used are listed', async t => {
  await using upstream = await scriptedUpstream()
  upstream.answer(cats.fact({ max_length: 40 }), { fact: 'They purr.' }).status('POST /fact', 503)
  t.match(await failure(runAggregate(optional, {}, { upstreams: { cats: upstream } })), {
    message: [
      'cats received GET /fact?max_length=5&of=a+b&of=c, for which nothing is queued: ' +
        "add upstream.answer('GET /fact', …) before runAggregate",
      `  runAggregate was called at ${placeOf('await failure(runAggregate(optional')}`,
      '  queued and not used: GET /fact?max_length=40, POST /fact',
    ].join('\n'),
    cause: undefined,
  })
})

test('a run is not rejected for the calls of an earlier run', async t => {
  await using upstream = await scriptedUpstream()
  await t.rejects(runAggregate(required, {}, { upstreams: { cats: upstream } }))
  upstream.answer(cats.fact, { fact: 'They purr.' })
  t.match(await runAggregate(required, {}, { upstreams: { cats: upstream } }), { data: { fact: 'They purr.' } })
})

test('the names of all upstreams that share a scripted upstream are in the error', async t => {
  await using upstream = await scriptedUpstream()
  await t.rejects(runAggregate(required, {}, { upstreams: { dogs: upstream, cats: upstream } }), {
    message: /^dogs or cats received GET \/fact\?max_length=5, for which nothing is queued/,
  })
})

test('an upstream of which only the origin is given may receive any call', async t => {
  await using upstream = await scriptedUpstream()
  const { origin } = upstream
  t.match(await runAggregate(optional, {}, { upstreams: { cats: { origin } } }), { data: null, complete: false })
  t.equal(
    await problemOf(runAggregate(required, {}, { upstreams: { cats: { origin } } })).then(({ code }) => code),
    'UPSTREAM_STATUS',
  )
})

test('a call to an upstream that is not given comes before a call for which nothing is queued', async t => {
  await using upstream = await scriptedUpstream()
  const both = aggregate('both', { url: '/both' })
    .optional('fact', () => cats.fact({ max_length: 5 }), { fallback: null })
    .optional('facts', () => meowfacts.facts({ count: 1 }), { fallback: null, needs: ['fact'] })
    .reply(z.unknown(), () => null)
  await t.rejects(runAggregate(both, {}, { upstreams: { cats: upstream } }), {
    message: "the aggregate 'both' calls meowfacts.facts: give runAggregate an upstream for 'meowfacts'",
  })
  t.match(upstream.unexpected, [{ path: '/fact' }])
})

test('the line of the test is named for each form of a stack', async t => {
  await using upstream = await scriptedUpstream()
  const run = [required, {}, { upstreams: { cats: upstream } }] as const
  type Caller = (call: typeof runAggregate, ...input: typeof run) => Promise<unknown>
  const filename = '/srv/at async (old) cards/card.test.js'
  const script = (source: string) => runInThisContext(source, { filename }) as Caller
  const callers: readonly [string, Caller, string][] = [
    ['a named function', script('(function go(run, ...input) { return run(...input) })'), `${filename}:1`],
    ['a function without a name', script('\n(run, ...input) => run(...input)'), `${filename}:2`],
    ['a built-in function', call => Reflect.apply(call, undefined, run), placeOf('Reflect.apply')],
  ]
  for (const [caller, go, place] of callers) {
    const error = await failure(go(runAggregate, ...run))
    t.equal((error as Error).message.split('\n')[1], `  runAggregate was called at ${place}`, caller)
  }
})

test('without a stack, the error of a call for which nothing is queued has the call alone', async t => {
  await using upstream = await scriptedUpstream()
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const running = runAggregate(required, {}, { upstreams: { cats: upstream } })
  Error.stackTraceLimit = stackTraceLimit
  t.match(await failure(running), { message: /^cats received GET .* before runAggregate$/ })
})

test('runAggregate has a snapshot after each value that arrives, whatever the time between them', async t => {
  await using upstream = await scriptedUpstream()
  const { shop, Order } = snapshotted()
  upstream
    .answer(shop.order({ id: 'a' }), { names: ['b', 'a'] })
    .answer(shop.item({ id: 'a' }), { cents: 1 }, { delay: 30 })
    .answer(shop.item({ id: 'b' }), { cents: 2 }, { delay: 10 })
    .answer(shop.rating({ id: 'a' }), { stars: 5 }, { delay: 90 })
  const described = shopOrder(shop).reply(Order, ({ items, rating }) => ({
    cents: items.map(item => item?.cents ?? null),
    stars: rating?.stars ?? null,
  }))
  const { data, snapshots } = await runAggregate(
    described,
    { params: { id: 'a' } },
    {
      upstreams: { shop: upstream },
      snapshots: true,
    },
  )
  t.same(data, { cents: [2, 1], stars: 5 })
  t.strictSame(snapshots, [
    { data: { cents: [], stars: null }, pending: ['items', 'rating'] },
    { data: { cents: [2, null], stars: null }, pending: ['items', 'rating'] },
    { data: { cents: [2, 1], stars: null }, pending: ['items', 'rating'] },
    { data: { cents: [2, 1], stars: null }, pending: ['rating'] },
  ])
})

test('runAggregate has no snapshots without the option, and with snapshot: false', async t => {
  await using upstream = await scriptedUpstream()
  const { shop, Order } = snapshotted()
  upstream.always(shop.order, { names: [] }).always(shop.rating, { stars: 5 })
  const merge = () => ({ cents: [], stars: null })
  const options = { upstreams: { shop: upstream } }
  const input = { params: { id: 'a' } }
  const without = shopOrder(shop).reply(Order, merge, { snapshot: false })
  t.same((await runAggregate(shopOrder(shop).reply(Order, merge), input, options)).snapshots, [])
  t.same((await runAggregate(without, input, { ...options, snapshots: true })).snapshots, [])
  t.match(await failure(runAggregate(without, input, { ...options, snapshots: 1 as never })), {
    name: 'TypeError',
    message: /^runAggregate: snapshots must be true or false, got/,
  })
})

test('a snapshot that cannot be made is an error of runAggregate, with the cause and the steps that had not ended', async t => {
  await using upstream = await scriptedUpstream()
  const { shop, Order } = snapshotted()
  upstream.always(shop.order, { names: [] }).always(shop.rating, { stars: 5 }, { delay: 20 })
  for (const [snapshot, cause] of [
    [() => ({ cents: [], stars: 'none' }), { name: 'ZodError' }],
    [() => Promise.reject(new RangeError('none')), { message: 'none' }],
  ] as const) {
    const described = shopOrder(shop).reply(Order, () => ({ cents: [], stars: null }), { snapshot: snapshot as never })
    t.match(
      await failure(
        runAggregate(described, { params: { id: 'a' } }, { upstreams: { shop: upstream }, snapshots: true }),
      ),
      {
        message:
          "aggregate 'order': a snapshot could not be made before the end of 'items', 'rating': " +
          'write a merge that accepts their fallbacks and does not change its arguments, or give reply() the option snapshot',
        cause,
      },
    )
  }
})

test('runAggregate ignores an async merge of a snapshot that stops at the end of its run', async t => {
  await using upstream = await scriptedUpstream()
  const { shop, Order } = snapshotted()
  upstream.always(shop.order, { names: [] }).always(shop.rating, { stars: 5 }, { delay: 20 })
  const described = shopOrder(shop).reply(Order, () => ({ cents: [], stars: 1 }), {
    snapshot: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  })
  const { snapshots } = await runAggregate(
    described,
    { params: { id: 'a' } },
    {
      upstreams: { shop: upstream },
      snapshots: true,
    },
  )
  t.same(snapshots, [])
})

function snapshotted() {
  const Id = z.object({ id: z.string() })
  const shop = defineUpstream(
    'shop',
    { origin: 'https://shop.example' },
    {
      order: operation({ path: '/orders/{id}', params: Id, output: z.object({ names: z.array(z.string()) }) }),
      item: operation({ path: '/items/{id}', params: Id, output: z.object({ cents: z.number() }) }),
      rating: operation({ path: '/ratings/{id}', params: Id, output: z.object({ stars: z.number() }) }),
    },
  )
  return { shop, Order: z.object({ cents: z.array(z.number().nullable()), stars: z.number().nullable() }) }
}

function shopOrder(shop: ReturnType<typeof snapshotted>['shop']) {
  return aggregate('order', { url: '/orders/{id}', params: z.object({ id: z.string() }) })
    .required('order', ({ params }) => shop.order({ id: params.id }))
    .each('items', ({ order }) => order.names.map(id => shop.item({ id })), {
      needs: ['order'],
      minSuccess: 0,
      fallback: null,
    })
    .optional('rating', ({ params }) => shop.rating({ id: params.id }), { fallback: null })
}
