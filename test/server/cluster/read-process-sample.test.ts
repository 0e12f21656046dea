import { test } from 'tap'
import type { ProcessSample } from '../../../src/overview/process-sample.ts'
import { readProcessSample } from '../../../src/server/cluster/read-process-sample.ts'
import { aggregateRow, upstreamRow } from '../../overview/helpers/samples.ts'

test('a sample of another process is read, and other values are not', async t => {
  const upstream = upstreamRow('cats', { ok: 1, failed: 1 })
  const aggregate = aggregateRow('pets', { counts: { failed: 1 }, codes: [['INTERNAL', 1]] })
  const good: ProcessSample = { upstreams: [upstream], aggregates: [aggregate] }
  t.same(readProcessSample(JSON.parse(JSON.stringify(good))), good)
  t.same(readProcessSample({ upstreams: [], aggregates: [], more: 1 }), { upstreams: [], aggregates: [] })
  for (const bad of [
    null,
    undefined,
    7,
    [],
    { upstreams: [] },
    { ...good, upstreams: {} },
    { ...good, upstreams: [null] },
    { ...good, upstreams: [{ ...upstream, name: 7 }] },
    { ...good, upstreams: [{ ...upstream, counts: [1] }] },
    { ...good, upstreams: [{ ...upstream, counts: upstream.counts.map(() => -1) }] },
    { ...good, upstreams: [{ ...upstream, gauges: [0, 0, 0, 'open'] }] },
    { ...good, upstreams: [{ ...upstream, latency: [1] }] },
    { ...good, upstreams: [{ ...upstream, latency: [1.5, 1] }] },
    { ...good, upstreams: [{ ...upstream, latency: [1e9, 1] }] },
    { ...good, upstreams: [{ ...upstream, failures: [['503']] }] },
    { ...good, upstreams: [{ ...upstream, failures: [['503', NaN]] }] },
    { ...good, aggregates: [null] },
    { ...good, aggregates: [{ ...aggregate, counts: [] }] },
    { ...good, aggregates: [{ ...aggregate, codes: [[1, 1]] }] },
    { ...good, aggregates: [{ ...aggregate, statuses: 'x' }] },
  ])
    t.equal(readProcessSample(bad), undefined, JSON.stringify(bad))
})
