import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { OwnOverview } from '../../src/server/process/own-overview.ts'
import { countForDashboard } from '../../src/server/process/samplers.ts'
import { scriptedUpstream } from '../../src/testing/index.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'
import { until } from '../helpers/until.ts'

const Cat = z.object({ name: z.string() })

/** An upstream, and a function that builds an app of definitions that call it. */
async function arrange(t: Test) {
  const upstream = await scriptedUpstream()
  t.teardown(() => upstream.close())
  const build = async () => {
    const cats = defineUpstream(
      'cats',
      { origin: upstream.origin, retry: false, breaker: { minimumCalls: 3 } },
      {
        cat: operation({ path: '/cat', output: Cat }),
        slow: operation({ path: '/slow', output: Cat }),
      },
    )
    const aggregates = [
      aggregate('pets', { url: '/pets', deadline: 5000 })
        .required('cat', () => cats.cat())
        .reply(Cat, ({ cat }) => cat),
      aggregate('slow', { url: '/slow', deadline: 5000 })
        .required('cat', () => cats.slow())
        .reply(Cat, ({ cat }) => cat),
    ]
    const app = buildApp(aggregates, { drainTimeout: 0 })
    t.teardown(() => app.close())
    countForDashboard(app, readConfig({ ADMIN_PORT: '9000' }, []))
    await app.ready()
    return { app, catalogue: { specs: [specOf(cats)], overrides: {}, aggregates } }
  }
  return { upstream, build }
}

test('a reload keeps what was counted, and drops the permits and the breaker of the runtime before', async t => {
  const { upstream, build } = await arrange(t)
  upstream.hang('GET /slow').status('GET /cat', 503)
  const first = await build()
  const overview = new OwnOverview(first.catalogue, first.app)
  const cats = async () => (await overview.live.hello()).now.upstreams[0]
  t.teardown(overview.live.listen(() => {}))
  void first.app.inject('/slow')
  await until(async () => (await cats())?.permits === 1)
  for (let count = 0; count < 4; count++) await first.app.inject('/pets')
  t.match(await cats(), { breaker: 'open' })

  const second = await build()
  overview.swap(second.catalogue, second.app)
  t.match(await cats(), { permits: 0, permitLimit: null, queued: 0, breaker: 'none' })
  const { history } = await overview.live.hello()
  t.equal(
    history.upstreams[0]?.attempts.reduce((sum, count) => sum + count, 0),
    3,
    'the attempts of the last moment',
  )
  upstream.answer('GET /cat', { name: 'Tom' })
  t.equal((await second.app.inject('/pets')).statusCode, 200)
  await until(async () => (await cats())?.breaker === 'closed')
})
