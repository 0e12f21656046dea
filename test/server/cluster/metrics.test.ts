import cluster, { type Worker } from 'node:cluster'
import { join } from 'node:path'
import tap, { test, type Test } from 'tap'
import { createRedispatcher } from '../../../src/server/cluster/redispatch.ts'
import { MetricsChannel } from '../../../src/server/cluster/metrics-channel.ts'
import { ServiceMetrics } from '../../../src/server/cluster/service-metrics.ts'
import { spawnWorker } from '../../../src/server/cluster/spawn-worker.ts'
import type { WorkerProcess } from '../../../src/server/cluster/worker-process.ts'
import type { Series } from '../../../src/metrics/series.ts'
import { parseExposition } from '../../metrics/helpers/exposition.ts'
import { someTables } from '../../metrics/helpers/tables.ts'
import { until } from '../../helpers/until.ts'
import type { Order, Told } from './helpers/counting-worker.ts'

// Each of its tests starts processes.
tap.setTimeout(120_000)

const openmetrics = 'application/openmetrics-text'

interface StartedWorker {
  readonly process: WorkerProcess
  /** Sends an order and resolves with the answer. */
  readonly order: (order: Order) => Promise<unknown>
  readonly send: (order: Order) => void
}

/** The metrics of this process as a primary, and a function that starts a worker. */
function aService(t: Test, collectOwn: () => Promise<readonly Series[]> = async () => []) {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'helpers/counting-worker.ts'), args: [] })
  const metrics = new ServiceMetrics(collectOwn)
  const assignment = {
    index: 0,
    count: 1,
    host: '127.0.0.1',
    port: 0,
    demoUpstreams: undefined,
    heartbeatMs: 0,
    service: 'b',
  }

  async function start({ listens = true } = {}): Promise<StartedWorker> {
    const before = new Set(Object.keys(cluster.workers ?? {}))
    const received = metrics.open()
    const process = spawnWorker(
      { ...assignment, mark: 'the mark' },
      {
        omittedVariables: [],
        closeMs: 2000,
        count: () => ({ current: 1, ttl: 1 }),
        trackWorker: createRedispatcher(),
        onSeries: chunk => received.apply(chunk),
        onOverview() {},
        render: metrics.render,
        onSilent: () => {},
      },
    )
    t.teardown(() => process.kill())
    metrics.track(process, received)
    const id = Object.keys(cluster.workers ?? {}).find(each => !before.has(each)) as string
    const worker = cluster.workers?.[id] as Worker
    const send = (order: Order) => {
      worker.send(order)
    }
    if (listens) {
      send({ order: 'listen' })
      await process.listening
    }
    return {
      process,
      send,
      order: order =>
        new Promise(resolve => {
          const hear = (message: Partial<Told>) => {
            if (!('told' in message)) return
            worker.off('message', hear)
            resolve(message.told)
          }
          worker.on('message', hear)
          send(order)
        }),
    }
  }

  return { metrics, start }
}

/** The numbers of calls and of permits in a text. */
function countsOf(text: unknown): { calls: number | undefined; permits: number | undefined; waits: number } {
  const samples = parseExposition(String(text), 'openmetrics').flatMap(family => family.samples)
  const value = (name: string) => samples.find(sample => sample.name === name)?.value
  return {
    calls: value('headwaters_calls_total'),
    permits: value('headwaters_permits_in_use'),
    waits: samples
      .filter(({ name }) => name === 'headwaters_wait_seconds_count')
      .reduce((sum, sample) => sum + sample.value, 0),
  }
}

test('a scrape of the primary or of any worker has the sum over all processes', async t => {
  const own = someTables()
  own.calls.add(own.calls.slot('cats', 'OK'), 10)
  const { metrics, start } = aService(t, async () => own.tables)
  const [one, two] = await Promise.all([start(), start()])
  await Promise.all([
    one.order({ order: 'count', calls: 3, permits: 2 }),
    two.order({ order: 'count', calls: 4, permits: 1 }),
  ])
  const expected = { calls: 17, permits: 3, waits: 200 }
  const { body, contentType } = await metrics.source.render(openmetrics)
  t.match(contentType, openmetrics)
  t.same(countsOf(body), expected)
  for (const worker of [one, two]) {
    const answer = (await worker.order({ order: 'scrape', accept: openmetrics })) as typeof metrics
    t.match(answer, { contentType: /^application\/openmetrics-text/ })
    t.same(countsOf((answer as unknown as { body: string }).body), expected)
  }
  const text = (await one.order({ order: 'scrape', accept: '*/*' })) as { body: string; contentType: string }
  t.match(text.contentType, /^text\/plain/)
  t.match(text.body, /^headwaters_calls_total\{upstream="cats",code="OK"\} 17$/m)
})

test('the counters of a stopped worker are its last ones, and those of a killed one the last known', async t => {
  const { metrics, start } = aService(t)
  const [stopped, killed, running] = await Promise.all([start(), start(), start()])
  for (const worker of [stopped, killed, running]) await worker.order({ order: 'count', calls: 1, permits: 1 })
  t.same(countsOf((await metrics.source.render(openmetrics)).body), { calls: 3, permits: 3, waits: 300 })
  for (const worker of [stopped, killed]) await worker.order({ order: 'count', calls: 1, permits: 1 })
  killed.process.kill()
  await killed.process.exited
  t.same(await stopped.process.stop('drain'), { code: 0, signal: null })
  await until(async () => countsOf((await metrics.source.render(openmetrics)).body).calls === 4)
  t.same(countsOf((await metrics.source.render(openmetrics)).body), { calls: 4, permits: 1, waits: 400 })
  running.process.kill()
  await running.process.exited
  t.same(countsOf((await metrics.source.render(openmetrics)).body), { calls: 4, permits: undefined, waits: 400 })
})

test('a worker that does not answer within a second keeps its counters in the sum and has no gauges', async t => {
  const { metrics, start } = aService(t)
  const [stuck, running] = await Promise.all([start(), start()])
  for (const worker of [stuck, running]) await worker.order({ order: 'count', calls: 1, permits: 1 })
  t.match(countsOf((await metrics.source.render(openmetrics)).body), { calls: 2, permits: 2 })
  await stuck.order({ order: 'block', ms: 6000 })
  const since = performance.now()
  const { body } = await metrics.source.render(openmetrics)
  const ms = performance.now() - since
  t.match(countsOf(body), { calls: 2, permits: 1 })
  t.ok(ms > 900 && ms < 5000, `the scrape takes ${Math.round(ms)} ms`)
  await until(async () => countsOf((await metrics.source.render(openmetrics)).body).permits === 2)
})

test('a worker that does not listen yet is not waited for', async t => {
  const { metrics, start } = aService(t)
  const running = await start()
  await start({ listens: false })
  await running.order({ order: 'count', calls: 1, permits: 1 })
  const since = performance.now()
  t.match(countsOf((await metrics.source.render(openmetrics)).body), { calls: 1, permits: 1 })
  t.ok(performance.now() - since < 900)
})

test('scrapes at the same time share one collection, wherever they arrive', async t => {
  const { metrics, start } = aService(t)
  const [one, two] = await Promise.all([start(), start()])
  await Promise.all([
    metrics.source.render(openmetrics),
    metrics.source.render(openmetrics),
    metrics.source.render(openmetrics),
  ])
  t.equal(await one.order({ order: 'collections' }), 1)
  t.equal(await two.order({ order: 'collections' }), 1)
})

test('a worker that cannot collect its series, and a primary that cannot, do not stop the other ones', async t => {
  let isBroken = false
  const { metrics, start } = aService(t, async () => {
    if (isBroken) throw new Error('no')
    return []
  })
  const [broken, running] = await Promise.all([start(), start()])
  await broken.order({ order: 'fail' })
  await running.order({ order: 'count', calls: 1, permits: 1 })
  t.match(countsOf((await metrics.source.render(openmetrics)).body), { calls: 1, permits: 1 })
  isBroken = true
  await t.rejects(metrics.source.render(openmetrics), { message: 'no' })
  t.equal(
    await running.order({ order: 'scrape', accept: openmetrics }),
    'the primary process could not collect the metrics',
  )
  isBroken = false
  t.match(countsOf((await metrics.source.render(openmetrics)).body), { calls: 1, permits: 1 })
})

test('a scrape of a worker whose primary has exited is rejected', async t => {
  const channel = new MetricsChannel(async () => {})
  const due = channel.source.render()
  // The request is sent in a later microtask.
  await Promise.resolve()
  channel.handle({ kind: 'rendered', id: 5, text: '', isLast: true })
  setImmediate(() => channel.close())
  await t.rejects(due, { message: /^the primary process.*has exited$/ })
  await t.rejects(channel.source.render(), { message: /has exited$/ })
})
