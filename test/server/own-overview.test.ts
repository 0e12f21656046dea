import type { FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { runtimeOf } from '../../src/http/lifecycle/app-runtime.ts'
import { ownOverview, type OwnOverview } from '../../src/server/process/own-overview.ts'
import { countForDashboard } from '../../src/server/process/samplers.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'
import { createRuntime, succeedRuntime } from '../../src/upstream/runtime.ts'
import { until } from '../helpers/until.ts'

const Cat = z.object({ name: z.string() })
const operations = {
  cat: operation({ path: '/cat', output: Cat }),
  slow: operation({ path: '/slow', output: Cat }),
}

/** An upstream, and a function that builds an app of definitions that call it. */
async function arrange(t: Test) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  /** Builds an app; with another retry budget if `ratio` is given, which is a change of the upstream. */
  const build = async (previous?: FastifyInstance, ratio?: number) => {
    const cats = defineUpstream(
      'cats',
      {
        origin: upstream.origin,
        retry: false,
        breaker: { minimumCalls: 3 },
        ...(ratio !== undefined && { retryBudget: { ratio } }),
      },
      operations,
    )
    const aggregates = [
      aggregate('pets', { url: '/pets', deadline: 5000 })
        .required('cat', () => cats.cat())
        .reply(Cat, ({ cat }) => cat),
      aggregate('slow', { url: '/slow', deadline: 5000 })
        .required('cat', () => cats.slow())
        .reply(Cat, ({ cat }) => cat),
    ]
    const specs = [specOf(cats)]
    const runtime = previous === undefined ? createRuntime() : succeedRuntime(runtimeOf(previous), specs)
    const app = buildApp(aggregates, { drainTimeout: 0, runtime })
    t.teardown(() => app.close())
    countForDashboard(app, readConfig({ ADMIN_PORT: '9000' }, []))
    await app.ready()
    return { app, catalogue: { specs, overrides: {}, aggregates } }
  }
  return { upstream, build }
}

/** An overview of an app with a call that hangs and an open breaker. */
async function arrangeOpen(t: Test) {
  const { upstream, build } = await arrange(t)
  upstream.hang('GET /slow').status('GET /cat', 503)
  const first = await build()
  const overview = ownOverview(first.catalogue, first.app) as OwnOverview
  const cats = async () => (await overview.live.hello()).now.upstreams[0]
  t.teardown(overview.live.listen(() => {}))
  void first.app.inject('/slow')
  await until(async () => (await cats())?.permits === 1)
  for (let count = 0; count < 4; count++) await first.app.inject('/pets')
  t.match(await cats(), { breaker: 'open' })
  return { upstream, build, first, overview, cats }
}

test('a reload keeps what was counted, with the permits and the breaker of an unchanged upstream', async t => {
  const { build, first, overview, cats } = await arrangeOpen(t)
  const second = await build(first.app)
  overview.define(second.catalogue)
  t.match(await cats(), { permits: 1, breaker: 'open' })
  const { history } = await overview.live.hello()
  t.equal(
    history.upstreams[0]?.attempts.reduce((sum, count) => sum + count, 0),
    3,
    'the attempts of the last moment',
  )
})

test('the breaker of a changed upstream is that of the current definitions, and the permits are those of all', async t => {
  const { upstream, build, first, overview, cats } = await arrangeOpen(t)
  const second = await build(first.app, 0.5)
  overview.define(second.catalogue)
  t.match(await cats(), { permits: 1, breaker: 'none' })
  upstream.answer('GET /cat', { name: 'Tom' })
  t.equal((await second.app.inject('/pets')).statusCode, 200)
  await until(async () => (await cats())?.breaker === 'closed')
  t.match(await cats(), { permits: 1 })
  await first.app.close()
  await until(async () => (await cats())?.permits === 0)
})
