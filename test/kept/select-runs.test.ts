import { test } from 'tap'
import type { RunFilter } from '../../src/kept/run-source.ts'
import { positionOf, readPosition, selectRuns } from '../../src/kept/select-runs.ts'
import { storedRun } from '../helpers/stored-run.ts'

const runs = [
  storedRun({ id: 'a', startedAt: 1, state: 'failed', aggregate: 'breed', requestId: 'req-1', upstreams: ['cats'] }),
  storedRun({ id: 'b', startedAt: 3, state: 'partial', traceId: 't1', ms: 500, upstreams: ['cats', 'dogs'] }),
  storedRun({ id: 'c', startedAt: 2, ms: 20 }),
  storedRun({ id: 'd', startedAt: 2, ms: 499 }),
]

const idsOf = (filter: Partial<RunFilter> = {}, worker: number | null = null) =>
  selectRuns(runs, { limit: 10, ...filter }, worker).selected.map(({ id }) => id)

test('a list has the newest runs first, and runs of one moment by their id', t => {
  t.same(idsOf(), ['b', 'd', 'c', 'a'])
  t.end()
})

test('a run must meet all conditions of a filter', t => {
  t.same(idsOf({ states: ['failed', 'partial'] }), ['b', 'a'])
  t.same(idsOf({ aggregate: 'breed' }), ['a'])
  t.same(idsOf({ aggregate: 'toString' }), [])
  t.same(idsOf({ upstream: 'cats' }), ['b', 'a'])
  t.same(idsOf({ upstream: 'cats', states: ['failed'] }), ['a'])
  t.same(idsOf({ request: 'req-1' }), ['a'])
  t.same(idsOf({ request: 'd' }), ['d'], 'the id of a run')
  t.same(idsOf({ trace: 't1' }), ['b'])
  t.same(idsOf({ min: 499 }), ['b', 'd'])
  t.same(idsOf({ worker: 2 }), [], 'a service of one process has no workers')
  t.same(idsOf({ worker: 2 }, 2), ['b', 'd', 'c', 'a'])
  t.same(idsOf({ worker: 1 }, 2), [])
  t.end()
})

test('the pages of a list have each run once', t => {
  const seen: string[] = []
  let before: string | undefined
  for (;;) {
    const { selected, hasMore } = selectRuns(runs, { limit: 1, before }, null)
    seen.push(...selected.map(({ id }) => id))
    if (!hasMore) break
    before = positionOf(selected[0] as (typeof runs)[0])
  }
  t.same(seen, ['b', 'd', 'c', 'a'])
  t.end()
})

test('a text that is not a position is not read as one', t => {
  for (const text of ['', '_', '_a', 'x_a', '1.5_a', '1']) t.equal(readPosition(text), undefined, text)
  t.same(readPosition('12_a_b'), { startedAt: 12, id: 'a_b' })
  t.end()
})
