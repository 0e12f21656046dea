import fc from 'fast-check'
import { test } from 'tap'
import * as families from '../../src/metrics/families.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'
import { generations, type Generation } from '../helpers/generations.ts'
import { countsOf, total, valuesOf } from '../helpers/metric-values.ts'
import { json } from '../helpers/raw-upstream.ts'

/** One step of a sequence of generations. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('calls' as const), of: fc.nat(3), kept: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reload' as const), maxQueue: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('failed reload' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
)

/** Returns all counters with their values, by the family and the labels. */
function countersOf(runtime: Runtime): Map<string, number> {
  const tables = RuntimeMetrics.countersOf(runtime).metrics.collect()
  return new Map(
    tables
      .filter(({ family }) => family.type === 'counter')
      .flatMap(table =>
        table.labels.map((labels, slot) => [`${table.family.name} ${labels}`, table.values[slot] as number] as const),
      ),
  )
}

test('over any sequence of generations no counter falls, and no call is lost or counted twice', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
      const { raw, first, next } = await generations(t, json('well'), { maxQueue: 1 })
      /** The open generations, the latest first. */
      let open: Generation[] = [first]
      let calls = 0
      let before = countersOf(first.runtime)
      for (const each of steps) {
        const latest = open[0] as Generation
        if (each.kind === 'calls') {
          const { ask, cats } = open[each.of % open.length] as Generation
          await ask(each.kept ? cats.kept() : cats.cat())
          calls++
        } else if (each.kind === 'reload') open = [next(latest, { maxQueue: each.maxQueue }), ...open]
        else if (each.kind === 'failed reload') await next(latest, { maxQueue: 9 }).runtime.close()
        else if (open.length > 1) await open.pop()?.runtime.close()
        const now = countersOf(latest.runtime)
        for (const [series, value] of before)
          if (!((now.get(series) ?? 0) >= value)) throw new Error(`${series} fell from ${value} to ${now.get(series)}`)
        before = now
      }
      const { runtime } = open[0] as Generation
      const cached = valuesOf(runtime, families.cacheRequests)
      t.equal(total(valuesOf(runtime, families.calls)), calls)
      t.equal(total(countsOf(runtime, families.clientDuration)), raw.requests.length)
      t.equal(raw.requests.length, calls - (cached['cats hit'] ?? 0))
      t.equal(total(valuesOf(runtime, families.connectionsOpened)), raw.connections)
      const states = total(valuesOf(runtime, families.breakerState))
      t.ok(states <= 1, 'at most one state of one breaker')
      for (const { runtime: each } of open) await each.close()
      await raw.deserted()
      t.same(valuesOf(runtime, families.permitsLimit), {}, 'the gauges of closed clients are not rendered')
      t.equal(total(valuesOf(runtime, families.connectionsOpened)), raw.connections)
    }),
    { numRuns: 30 },
  )
})
