import fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { meowfacts } from '../../src/clients/meowfacts.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { headwaters } from '../../src/http/plugin.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

const Facts = z.object({ data: z.array(z.string()) })
const meow = aggregate('meow', { url: '/meow', query: z.object({ count: z.coerce.number().int().min(1).default(1) }) })
  .required('facts', ({ query }) => meowfacts.facts({ count: query.count }))
  .reply(Facts, ({ facts }) => facts)

async function setUp(t: Test) {
  const { origin } = await rawUpstream(t, json({ data: ['Cats purr.'] }))
  const app = fastify()
  t.teardown(() => app.close())
  return { app, overrides: { meowfacts: { origin } } }
}

test("the plugin serves aggregates under a prefix, beside the app's routes", async t => {
  const { app, overrides } = await setUp(t)
  app.post('/own', request => ({ got: request.body }))
  await app.register(headwaters, { aggregates: [meow], overrides, prefix: '/api' })
  const { statusCode, headers, body } = await app.inject('/api/meow')
  t.equal(statusCode, 200)
  t.match(JSON.parse(body), { data: { data: ['Cats purr.'] }, complete: true, sources: { facts: { state: 'ok' } } })
  t.match(headers['x-request-id'], /\w/)
  t.equal((await app.inject('/meow')).statusCode, 404)
  const own = await app.inject({
    method: 'POST',
    url: '/own',
    payload: 'text',
    headers: { 'content-type': 'text/plain' },
  })
  t.same(own.json(), { got: 'text' }, 'its own routes take what they took before')
})

test("failures are problems, or go to the app's error handler", async t => {
  const { app, overrides } = await setUp(t)
  await app.register(headwaters, { aggregates: [meow], overrides })
  const { statusCode, headers, body } = await app.inject('/meow?count=0')
  t.equal(statusCode, 400)
  t.match(headers['content-type'], 'application/problem+json')
  t.match(JSON.parse(body), { code: 'INPUT_INVALID', errors: [{ pointer: '/query/count' }] })

  const other = await setUp(t)
  other.app.setErrorHandler((error: Error & { code?: string }, _request, reply) =>
    reply.code(418).send({ mine: error.code }),
  )
  await other.app.register(headwaters, { aggregates: [meow], overrides: other.overrides })
  const made = await other.app.inject('/meow?count=0')
  t.equal(made.statusCode, 418)
  t.same(made.json(), { mine: 'INPUT_INVALID' })
})

test("the app's hooks apply to aggregates", async t => {
  const { app, overrides } = await setUp(t)
  const seen: string[] = []
  app.addHook('onRequest', async () => {
    seen.push('onRequest')
  })
  app.addHook('onResponse', async () => {
    seen.push('onResponse')
  })
  await app.register(headwaters, { aggregates: [meow], overrides })
  await app.inject('/meow')
  t.same(seen, ['onRequest', 'onResponse'])
})

test("the plugin's own runtime closes with the app, and a given one does not", async t => {
  const { overrides } = await setUp(t)
  const runtime = createRuntime({ overrides })
  t.teardown(() => runtime.close())
  for (let times = 0; times < 2; times++) {
    const app = fastify()
    await app.register(headwaters, { aggregates: [meow], runtime })
    t.equal((await app.inject('/meow')).statusCode, 200)
    await app.close()
  }
  t.match(runtime.stats(), { meowfacts: { calls: 2, ok: 2, active: 0, queued: 0 } })
})

/** What getting ready ends in: nothing, an error that is reported, or an uncaught one. */
async function readiness(t: Test, app: FastifyInstance): Promise<unknown> {
  t.teardown(() => {
    app.close().catch(() => {})
  })
  let uncaught: (error: unknown) => void = () => {}
  const thrown = new Promise(resolve => {
    uncaught = error => resolve({ uncaught: error })
  })
  process.prependOnceListener('uncaughtException', uncaught)
  const ready = app.ready().then(
    () => 'ready',
    (error: unknown) => error,
  )
  const ended = await Promise.race([ready, thrown])
  process.off('uncaughtException', uncaught)
  return ended
}

test('two aggregates may give the parameters of one path different names', async t => {
  const read = aggregate('read', { url: '/things/{id}', params: z.object({ id: z.string() }) }).reply(
    z.any(),
    ({ params }) => params,
  )
  const write = aggregate('write', {
    url: '/things/{name}',
    params: z.object({ name: z.string() }),
    method: 'PUT',
  }).reply(z.any(), ({ params }) => params)
  const app = buildApp([read, write])
  t.equal(await readiness(t, app), 'ready')
})

test('ready() rejects if an aggregate cannot be served', async t => {
  const twice = await readiness(t, buildApp([meow, meow]))
  t.ok(twice instanceof Error, 'two aggregates of one path and method')
})

test('an invalid override rejects ready()', async t => {
  for (const build of [
    () => buildApp([meow], { overrides: { meowfacts: { concurrency: 0 } } }),
    () => {
      const app = fastify()
      void app.register(headwaters, { aggregates: [meow], overrides: { meowfacts: { origin: 'nonsense' } } })
      return app
    },
  ]) {
    let told: unknown
    try {
      told = await readiness(t, build())
    } catch (error) {
      told = error
    }
    t.type(told, TypeError)
  }
})
