import { test } from 'tap'
import * as families from '../../src/metrics/families.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { OriginReader, type OriginReadings } from '../../src/metrics/origin-readings.ts'
import { failure } from '../helpers/failure.ts'
import { valuesOf } from '../helpers/metric-values.ts'
import { numbered, originList } from '../helpers/origin-list.ts'
import { json } from '../helpers/raw-upstream.ts'

test('an upstream with several origins has metrics of each', async t => {
  const { servers, runtime, cats, ask } = await originList(t, [numbered(0), json('bad', 503)], {
    balance: { ejection: { consecutiveFailures: 1 } },
  })
  const [good = '', bad = ''] = servers.map(({ port }) => `127.0.0.1:${port}`)
  const calls: Promise<unknown>[] = []
  for (let id = 0; id < 20; id++) calls.push(ask(cats.cat({ id: String(id) })).catch(() => 'failed'))
  const failed = (await Promise.all(calls)).filter(value => value === 'failed').length
  t.ok(failed >= 1)
  t.same(valuesOf(runtime, families.origins), { 'cats available': 1, 'cats ejected': 1, 'cats unhealthy': 0 })
  t.same(valuesOf(runtime, families.originAttempts), {
    [`cats ${good} ok`]: 20 - failed,
    [`cats ${good} failed`]: 0,
    [`cats ${bad} ok`]: 0,
    [`cats ${bad} failed`]: failed,
  })
  t.same(valuesOf(runtime, families.originEjections), { [`cats ${good}`]: 0, [`cats ${bad}`]: 1 })
  t.same(valuesOf(runtime, families.originActiveAttempts), { [`cats ${good}`]: 0, [`cats ${bad}`]: 0 })
  t.same(valuesOf(runtime, families.originPanicAttempts), { cats: 0 })
  const latencies = valuesOf(runtime, families.originLatency)
  t.ok((latencies[`cats ${good}`] as number) > 0, JSON.stringify(latencies))
})

test('the attempts in panic are counted', async t => {
  const { runtime, cats, ask } = await originList(t, [json('bad', 503), json('bad', 503)], {
    balance: { ejection: { consecutiveFailures: 1 } },
  })
  for (let id = 0; id < 5; id++) await failure(ask(cats.cat({ id: String(id) })))
  const panics = valuesOf(runtime, families.originPanicAttempts)['cats'] as number
  t.ok(panics >= 1 && panics <= 3, `${panics} attempts after both have failed`)
})

test('an upstream with one origin has no metrics of origins', async t => {
  const { runtime, cats, ask } = await originList(t, [numbered(0)])
  await ask(cats.cat({ id: '1' }))
  for (const family of families.families.filter(({ name }) => name.startsWith('headwaters_origin')))
    t.same(valuesOf(runtime, family), {}, family.name)
})

test('origins without a series of their own share one', t => {
  const metrics = new Metrics()
  const reader = new OriginReader(metrics, 'cats')
  metrics.onCollect({ read() {}, add: () => reader.add() })
  const present = { state: 'available', active: 2, latencyMs: 500 } as const
  const counts = { attempts: 3, failed: 1, ejections: 0 }
  const readings: OriginReadings = {
    panics: 0,
    origins: [
      { origin: 'a:80', ...present },
      { origin: 'b:80', ...present, latencyMs: null },
      { origin: 'c:80', ...present, latencyMs: 700 },
      { origin: 'd:80', ...present },
    ],
    totals: [
      { origin: 'a:80', ...counts },
      { origin: 'gone:80', ...counts },
      { origin: 'other', ...counts },
    ],
  }
  metrics.collect()
  t.same(metrics.table(families.origins).labels, [], 'nothing is added before the first reading')
  reader.read(readings)
  metrics.collect()
  metrics.collect()
  const series = (family: (typeof families)['originLatency']) => {
    const { labels, values } = metrics.table(family)
    return labels.map((label, slot) => `${label.replace('upstream="cats",', '')} ${values[slot]}`)
  }
  t.same(series(families.originActiveAttempts), ['origin="a:80" 2', 'origin="gone:80" 0', 'origin="other" 6'])
  t.same(series(families.originLatency), ['origin="a:80" 0.5', 'origin="gone:80" 0', 'origin="other" 0.7'])
  t.same(series(families.originAttempts), [
    'origin="a:80",result="ok" 2',
    'origin="a:80",result="failed" 1',
    'origin="gone:80",result="ok" 2',
    'origin="gone:80",result="failed" 1',
    'origin="other",result="ok" 2',
    'origin="other",result="failed" 1',
  ])
  t.end()
})
