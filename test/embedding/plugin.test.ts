import fastify, { type FastifyError } from 'fastify'
import { test } from 'tap'
import { headwaters } from '../../src/index.ts'
import { Problem } from '../../src/errors.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { fact, order, scriptedCats } from '../helpers/cats.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json as written, rawUpstream } from '../helpers/raw-upstream.ts'

interface Told {
  readonly data: { readonly fact: string }
  readonly complete: boolean
}

const json = { 'content-type': 'application/json' }

test('aggregates are served below a prefix, and nowhere else', async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.always('/fact', { fact: 'They purr.' }).always('POST /orders', { id: '7' })
  const app = fastify()
  await app.register(headwaters, { aggregates: [fact, order], prefix: '/api', overrides })
  const ask = await listening(t, app)

  const got = await ask<Told>('/api/facts/short')
  t.equal(got.status, 200)
  t.match(got.body, { data: { fact: 'They purr.' }, complete: true, sources: { fact: { state: 'ok' } } })
  t.same((await ask('/api/orders', { method: 'POST', headers: json, body: '{"cat":"tom"}' })).body, { id: '7' })
  t.equal((await ask('/facts/short')).status, 404)
  t.equal((await ask('/api/orders', { method: 'OPTIONS' })).headers.get('allow'), 'POST, OPTIONS')
})

test('two registrations live in one app, each with its own', async t => {
  const [one, two] = await Promise.all([scriptedCats(t), scriptedCats(t)])
  one.upstream.always('/fact', { fact: 'one' })
  two.upstream.always('/fact', { fact: 'two' })
  const app = fastify()
  await app.register(headwaters, { aggregates: [fact], prefix: '/one', overrides: one.overrides })
  await app.register(headwaters, { aggregates: [fact], prefix: '/two', overrides: two.overrides })
  const ask = await listening(t, app)
  t.equal((await ask<Told>('/one/facts/short')).body.data.fact, 'one')
  t.equal((await ask<Told>('/two/facts/short')).body.data.fact, 'two')
})

test('without an error handler failures are problems, of these routes only', async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.status('/fact', 503, { headers: { 'retry-after': '9' } })
  const app = fastify()
  app.get('/theirs', () => {
    throw new TypeError('theirs')
  })
  await app.register(headwaters, { aggregates: [fact, order], prefix: '/api', overrides })
  const ask = await listening(t, app)

  const busy = await ask<ProblemBody>('/api/facts/short')
  isProblem(t, busy, 503, 'UPSTREAM_BUSY')
  t.equal(busy.headers.get('retry-after'), '9')
  isProblem(t, await ask('/api/facts/wide?count='), 400, 'INPUT_INVALID')
  isProblem(t, await ask('/api/facts/short', { method: 'DELETE' }), 405, 'METHOD_NOT_ALLOWED')
  isProblem(
    t,
    await ask('/api/orders', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }),
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  )

  const theirs = await ask('/theirs')
  t.equal(theirs.status, 500)
  t.same(theirs.body, { statusCode: 500, error: 'Internal Server Error', message: 'theirs' })
  t.match(
    (await ask('/api/none')).body,
    { statusCode: 404, message: 'Route GET:/api/none not found' },
    'what is not found is theirs to say',
  )
})

test("the app's own error handler gets the failures", async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.status('/fact', 503, { headers: { 'retry-after': '9' } }).status('/fact', 500)
  const seen: unknown[] = []
  const app = fastify()
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    seen.push(error)
    return reply
      .code(error.statusCode ?? 500)
      .send({ theirs: true, error: error instanceof Problem ? error.toJSON() : error.message })
  })
  app.get('/theirs', () => {
    throw new TypeError('theirs')
  })
  await app.register(headwaters, { aggregates: [fact, order], prefix: '/api', overrides })
  const ask = await listening(t, app)

  const busy = await ask('/api/facts/short')
  t.equal(busy.status, 503)
  t.equal(busy.headers.get('retry-after'), '9', 'which their handler need not know of')
  t.match(busy.body, {
    theirs: true,
    error: { code: 'UPSTREAM_BUSY', status: 503, sources: { fact: { state: 'failed' } } },
  })
  const bad = await ask('/api/facts/short')
  t.equal(bad.status, 502)
  t.equal(bad.headers.get('retry-after'), null)
  t.match((await ask('/api/facts/wide')).body, {
    theirs: true,
    error: { code: 'INPUT_INVALID', errors: [{ pointer: '/params/kind' }] },
  })
  const post = await ask('/api/facts/short', { method: 'POST' })
  t.equal(post.status, 405)
  t.equal(post.headers.get('allow'), 'HEAD, GET, OPTIONS')
  t.match(post.body, { theirs: true, error: { code: 'METHOD_NOT_ALLOWED' } })
  t.match(await ask('/api/orders', { method: 'POST', headers: json, body: '{' }), {
    status: 400,
    body: { theirs: true },
  })
  t.match(await ask('/api/orders', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }), {
    status: 415,
    body: { theirs: true },
  })
  t.match(await ask('/theirs'), { status: 500, body: { theirs: true, error: 'theirs' } })
  t.equal(seen.length, 7, 'each once')
})

test("the app's hooks run around an aggregate", async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.always('/fact', { fact: 'They purr.' })
  const log: string[] = []
  const app = fastify()
  app.addHook('onRequest', async (request, reply) => {
    log.push(`onRequest ${request.url}`)
    if (request.headers.authorization === undefined)
      return reply.code(401).header('www-authenticate', 'Bearer').send({ who: 'are you' })
  })
  app.addHook('onSend', async (_request, reply, payload) => {
    reply.header('x-theirs', 'yes')
    return typeof payload === 'string' ? payload.replace('purr', 'PURR') : payload
  })
  app.addHook('onResponse', async (_request, reply) => {
    log.push(`onResponse ${reply.statusCode}`)
  })
  await app.register(headwaters, { aggregates: [fact], prefix: '/api', overrides })
  const ask = await listening(t, app)

  const refused = await ask('/api/facts/short')
  t.equal(refused.status, 401)
  t.same(refused.body, { who: 'are you' })
  t.equal(refused.headers.get('www-authenticate'), 'Bearer')
  t.equal(upstream.calls.length, 0, 'no upstream was called')

  const got = await ask<Told>('/api/facts/short', { headers: { authorization: 'Bearer x' } })
  t.equal(got.body.data.fact, 'They PURR.')
  t.equal(got.headers.get('x-theirs'), 'yes')
  t.same(log, ['onRequest /api/facts/short', 'onResponse 401', 'onRequest /api/facts/short', 'onResponse 200'])
})

test('an error of their hook stays theirs, with and without an error handler', async t => {
  for (const handled of [false, true]) {
    const { upstream, overrides } = await scriptedCats(t)
    const app = fastify()
    app.addHook('onRequest', async () => {
      throw Object.assign(new Error('no such key'), { statusCode: 401 })
    })
    if (handled)
      app.setErrorHandler((error: FastifyError, _request, reply) => reply.code(403).send({ theirs: error.message }))
    await app.register(headwaters, { aggregates: [fact], overrides })
    const ask = await listening(t, app)
    const { status, body } = await ask('/facts/short')
    t.equal(status, handled ? 403 : 401)
    t.same(
      body,
      handled ? { theirs: 'no such key' } : { statusCode: 401, error: 'Unauthorized', message: 'no such key' },
    )
    t.equal(upstream.calls.length, 0)
  }
})

test('a hook that throws something else than an error is answered as anywhere in the app', async t => {
  const { overrides } = await scriptedCats(t)
  const thrown: unknown[] = ['a word', null, { statusCode: 418 }]
  const app = fastify()
  app.addHook('preHandler', async () => {
    throw thrown.shift() as Error
  })
  await app.register(headwaters, { aggregates: [fact], overrides })
  const ask = await listening(t, app)
  const statuses = []
  for (let i = 0; i < 3; i++) statuses.push((await ask('/facts/short')).status)
  t.same(statuses, [500, 500, 418])
})

test('the plugin does not change the other routes, parsers and handlers of the app', async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.always('/fact', { fact: 'They purr.' })
  const app = fastify()
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) =>
    done(null, String(body).split(',')),
  )
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ lost: true }))
  app.post('/echo', async ({ body }) => ({ body }))
  app.post('/facts', async () => 'theirs')
  await app.register(headwaters, { aggregates: [fact], prefix: '/api', overrides })
  app.post('/later', async ({ body }) => ({ body }))
  const ask = await listening(t, app)

  for (const path of ['/echo', '/later']) {
    t.same((await ask(path, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a,b' })).body, {
      body: ['a', 'b'],
    })
    t.same((await ask(path, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'plain' })).body, {
      body: 'plain',
    })
    t.match((await ask(path, { method: 'POST', headers: json, body: '{' })).body, {
      statusCode: 400,
      code: 'FST_ERR_CTP_INVALID_JSON_BODY',
    })
  }
  t.equal((await ask('/facts', { method: 'POST' })).text, 'theirs')
  t.same((await ask('/nothing')).body, { lost: true })
  t.same((await ask('/api/nothing')).body, { lost: true })
  t.equal((await ask('/echo', { method: 'POST' })).headers.get('x-request-id'), null)
  t.ok((await ask('/api/facts/short')).headers.get('x-request-id'))
})

test('closing the app closes its own runtime, and no runtime that was given', async t => {
  const { upstream, overrides } = await scriptedCats(t)
  upstream.always('/fact', { fact: 'They purr.' })
  const runtime = createRuntime({ overrides })
  t.teardown(() => runtime.close())
  const app = fastify()
  await app.register(headwaters, { aggregates: [fact], prefix: '/given', runtime })
  const ask = await listening(t, app)
  t.equal((await ask('/given/facts/short')).status, 200)
  t.match(runtime.stats(), { cats: { calls: 1 } }, 'the given one was used')
  await app.close()

  const again = fastify()
  await again.register(headwaters, { aggregates: [fact], runtime })
  const askAgain = await listening(t, again)
  t.equal((await askAgain('/facts/short')).status, 200, 'it still answers')
})

test("closing the app closes the upstream connections of the plugin's own runtime", async t => {
  // An upstream that keeps connections for longer than any test.
  const upstream = await rawUpstream(t, written({ fact: 'They purr.' }, 200, { 'keep-alive': 'timeout=500' }))
  const app = fastify()
  await app.register(headwaters, { aggregates: [fact], overrides: { cats: { origin: upstream.origin } } })
  const ask = await listening(t, app)
  t.equal((await ask('/facts/short')).status, 200)
  t.equal(upstream.open, 1)
  await app.close()
  await upstream.deserted()
  t.equal(upstream.open, 0)
})

test('aggregates that cannot be served are refused with the reason', async t => {
  const refused = async (options: object, twice = false) => {
    const app = fastify()
    t.teardown(() => app.close())
    if (twice) await app.register(headwaters, { aggregates: [fact], prefix: '/api' })
    return app.register(headwaters, options as never).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    )
  }
  t.match(await refused({}), /^headwaters: the option aggregates must be an array: app\.register/)
  t.match(
    await refused({ aggregates: [{}] }),
    /^headwaters: aggregates\[0\] is not an aggregate: end its declaration with \.reply\(schema, merge\)$/,
  )
  t.match(await refused({ aggregates: [undefined] }), /^headwaters: aggregates\[0\] is not an aggregate/)
  t.match(
    await refused({ aggregates: [fact, fact] }),
    /^headwaters: the aggregates 'a-fact' and 'a-fact' are both GET \/facts\/:kind: change the url of one/,
  )
  t.match(
    await refused({ aggregates: [fact], prefix: '/api' }, true),
    /^headwaters: GET \/api\/facts\/:kind \(aggregate 'a-fact'\) is already a route of this app: register the aggregate once, or under another prefix/,
  )
  t.match(
    await refused({ aggregates: [fact], runtime: createRuntime(), overrides: {} }),
    /^headwaters: the options runtime and overrides exclude each other/,
  )
  t.match(
    await refused({ aggregates: [fact], runtime: createRuntime(), layers: {} }),
    /^headwaters: the options runtime and layers exclude each other/,
  )
  t.match(
    await refused({ aggregates: [fact], runtime: createRuntime(), environment: {} }),
    /^headwaters: the options runtime and environment exclude each other/,
  )
  t.match(
    await refused({ aggregates: [fact], overrides: { cats: { origin: 'nonsense' } } }),
    /upstream 'cats': 'nonsense' is not an origin/,
  )
  t.equal(
    await refused({ aggregates: [order], prefix: '/api' }, true),
    undefined,
    'one prefix may be used twice for different routes',
  )
})
