import { test } from 'tap'
import { z } from 'zod'
import { Problem, UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { KeptRuns } from '../../src/kept/kept-runs.ts'
import type { RunRow } from '../../src/waterfall/kept-run.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { endedRun, keptRuns } from '../helpers/ended-run.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { elapsed } from '../helpers/until.ts'

const Any = z.unknown()
const { ask } = oracle
const base = aggregate('shown', { url: '/shown', deadline: 60_000 })
const one = base.required('first', () => ask({ id: 'one' })).reply(Any, ({ first }) => first)
const lost = () => {
  throw new UpstreamError('UPSTREAM_BUSY', 'oracle', { upstreamStatus: 503 })
}
const isUuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

test('a kept run has its request, its end, its steps and its calls', async t => {
  const declared = base
    .context(({ ask: answerOf }) => answerOf(ask({ id: 'who' })))
    .required('first', () => ask({ id: 'one' }))
    .optional('second', () => ask({ id: 'two' }), { needs: ['first'], fallback: null })
    .reply(Any, () => 1, { status: 201 })
  const run = await endedRun(declared, {
    runtime: answeringRuntime(path => (path === '/two' ? lost() : 1)),
    deadline: 500,
    request: { requestId: 'req-8', traceId: '0af7', target: '/shown/7?count=3', stream: 'sse' },
  })
  t.match(run, { id: isUuid, requestId: 'req-8', traceId: '0af7', worker: null, aggregate: 'shown' })
  t.match(run, { method: 'GET', target: '/shown/7?count=3', deadline: 500, stream: 'sse', parent: null })
  t.match(run, { state: 'partial', status: 201, code: null, isSlow: false, caller: 'waited' })
  t.same(run.omitted, { calls: 0, entries: 0 })
  t.match(run, { upstreams: ['oracle'], lost: [{ step: 'second', code: 'UPSTREAM_BUSY' }] })
  t.equal(new Date(run.at).toISOString(), run.at)
  t.match(run.steps, [
    { name: 'context', kind: 'context', needs: [], outcome: { state: 'ok' }, calls: [{ path: '/who' }] },
    { name: 'first', kind: 'required', needs: [], outcome: { state: 'ok' }, calls: [{ path: '/one' }] },
    { name: 'second', kind: 'optional', needs: ['first'], outcome: { state: 'fallback', code: 'UPSTREAM_BUSY' } },
  ])
  t.match(run.steps[1]?.calls, [{ call: 0, operation: 'oracle.ask', method: 'GET', path: '/one' }])
})

test('a step that did not start is cancelled and has no start', async t => {
  const declared = base
    .required('first', () => ask({ id: 'one' }))
    .required('second', () => ask({ id: 'two' }), { needs: ['first'] })
    .reply(Any, () => 1)
  const run = await endedRun(declared, { runtime: answeringRuntime(lost) })
  t.match(run, { state: 'failed', status: 503, code: 'UPSTREAM_BUSY', lost: [{ step: 'first' }] })
  t.equal(run.lost.length, 1)
  t.match(run.steps[1], { name: 'second', outcome: { state: 'cancelled', start: null, ms: 0, attempts: 0 }, calls: [] })
})

test('a caller that leaves has the end `left`, and a stream that the service ends has the end `cut`', async t => {
  const cancelledBy = (reason: unknown) => endedRun(one, { runtime: heldRuntime(), during: run => run.cancel(reason) })
  t.match(await cancelledBy(new Error('gone')), { state: 'cancelled', status: null, code: 'CANCELLED', caller: 'left' })
  t.match(await cancelledBy(new Problem('REQUEST_TIMEOUT')), {
    state: 'cancelled',
    status: 408,
    code: 'REQUEST_TIMEOUT',
    caller: 'cut',
  })
})

test('a call without an end has no end, and its run has no more calls than its limit', async t => {
  const many = base
    .each('all', () => Array.from({ length: 520 }, (_, index) => ask({ id: index })), { maxItems: 600 })
    .reply(Any, () => 1)
  const run = await endedRun(many, {
    runtime: heldRuntime({ deaf: () => true }),
    during: each => each.cancel('gone'),
  })
  t.equal(run.steps[0]?.calls.length, 500)
  t.same(run.omitted, { calls: 20, entries: 0 })
  t.match(run.steps[0]?.calls[499], { call: 499, end: null, status: null, code: null })
})

test('long paths are cut, with a mark', async t => {
  const long = base.required('first', () => ask({ id: 'x'.repeat(2000) })).reply(Any, () => 1)
  const run = await endedRun(long, {
    runtime: answeringRuntime(() => 1),
    request: { target: `/shown/7?q=${'y'.repeat(2000)}` },
  })
  t.equal(run.target, `/shown/7?q=${'y'.repeat(501)}[cut] (1499 more)`)
  t.equal(run.steps[0]?.calls[0]?.path, `/${'x'.repeat(511)}[cut] (1489 more)`)
})

test('a run that is not kept is not found, and a run that never starts takes nothing', async t => {
  const store = keptRuns({ limit: 1 })
  store.start(one, { requestId: 'r', traceId: undefined, method: 'GET', target: '/' })
  const first = await endedRun(one, { store, runtime: answeringRuntime(() => 1) })
  t.equal(store.list({ limit: 10 }).runs.length, 1)
  const second = await endedRun(one, { store, runtime: answeringRuntime(lost) })
  t.equal(store.find(first.id), undefined)
  t.equal(store.find(second.id)?.id, second.id)
  t.equal(store.find('__proto__'), undefined)
})

test('a complete run that used half of its deadline is slow', async t => {
  const half = await endedRun(
    base.required('first', wait).reply(Any, () => 1),
    {
      runtime: answeringRuntime(() => 1),
      deadline: 20,
    },
  )
  t.match(half, { state: 'complete', isSlow: true })
  const fast = await endedRun(one, { runtime: answeringRuntime(() => 1) })
  t.match(fast, { state: 'complete', isSlow: false })
})

/** A step that takes 12 ms. */
function wait(): number {
  for (const since = performance.now(); performance.now() - since < 12;);
  return 1
}

test('a list has the rows of runs, the numbers of each class, and the place of the next page', async t => {
  const store = keptRuns({ worker: 3 })
  const runtime = answeringRuntime(() => 1)
  const ids: string[] = []
  for (let count = 0; count < 3; count++) ids.push((await endedRun(one, { store, runtime })).id)
  ids.push((await endedRun(one, { store, runtime: answeringRuntime(lost) })).id)
  const list = store.list({ limit: 3 })
  t.same(list.kept, { failed: 1, partial: 0, slow: 0, cancelled: 0, complete: 3 })
  t.match(list.oldest, { failed: String, partial: null, complete: String })
  t.same(list.incomplete, [])
  t.equal(list.runs.length, 3)
  const rest = store.list({ limit: 3, before: list.next ?? '' })
  t.equal(rest.next, null)
  t.same([...list.runs, ...rest.runs].map(({ id }) => id).toSorted(), ids.toSorted())
  t.match(list.runs[0], { worker: 3, aggregate: 'shown' })
  t.notOk('steps' in (list.runs[0] ?? {}))
  t.same(
    store.recent().map(({ id }) => id),
    [...list.runs, ...rest.runs].map(({ id }) => id).toReversed(),
  )
})

test('a listener receives the row of each kept run until it ends', async t => {
  const store = keptRuns()
  const rows: RunRow[] = []
  const end = store.onKept(row => rows.push(row))
  const { id } = await endedRun(one, { store, runtime: answeringRuntime(lost) })
  end()
  await endedRun(one, { store, runtime: answeringRuntime(lost) })
  t.match(rows, [{ id, state: 'failed', lost: [{ step: 'first', code: 'UPSTREAM_BUSY' }] }])
  t.equal(rows.length, 1)
})

test('a listener receives no row of a run that gives way at once', async t => {
  const store = keptRuns({ limit: 1 })
  const rows: RunRow[] = []
  const { id } = await endedRun(one, { store, runtime: answeringRuntime(lost) })
  store.onKept(row => rows.push(row))
  await t.rejects(endedRun(one, { store, runtime: answeringRuntime(() => 1) }), /is not kept/)
  t.same(rows, [])
  t.ok(store.find(id) !== undefined)
})

test('a run that is kept without its calls has its steps and its losses, and blames no function', async t => {
  const store = keptRuns({ limit: 1 })
  const calls = Array.from({ length: 300 }, (_, index) => ask({ id: `${index}${'x'.repeat(100)}` }))
  const many = base.each('all', () => calls, { maxItems: 300 }).reply(Any, () => 1)
  const run = await endedRun(many, {
    store,
    runtime: answeringRuntime(async () => {
      await elapsed(5)
      return lost()
    }),
  })
  t.match(run, { state: 'failed', upstreams: ['oracle'], lost: [{ step: 'all', code: 'UPSTREAM_BUSY' }] })
  t.match(run.steps, [{ name: 'all', outcome: { state: 'failed' } }])
  t.same([run.steps[0]?.calls, run.omitted.calls], [[], 300])
  t.match(run.why, [/^all: UPSTREAM_BUSY: [\d.]+ ms of [\d.]+ ms outside its kept calls$/])
})

test('a batch that is kept without its calls has the states of its steps', async t => {
  const store = keptRuns({ limit: 1 })
  const ids = Array.from({ length: 20 }, (_, index) => ({ id: `c${index}`, needs: [] }))
  const request = { requestId: 'r', traceId: undefined, method: 'POST', target: '/v1/batch' }
  const timeline = store.startBatch({ name: 'batch', route: { url: '/v1/batch' } }, ids, request)
  for (let step = 0; step < 20; step++) {
    timeline.event({ type: 'step started', at: 1, step })
    timeline.callSent(step, 0, ask({ id: 'x'.repeat(200) }), 1)
    timeline.event({ type: 'step ended', at: 5, step, state: 'ok', code: undefined, tally: undefined })
  }
  timeline.ended({ state: 'complete', at: 5, status: 200, code: undefined, cancelledBy: undefined }, { deadline: 5000 })
  const run = store.find(timeline.id)
  t.match(
    run?.steps,
    ids.map(({ id }) => ({ name: id, outcome: { state: 'ok', start: 1, ms: 4 }, calls: [] })),
  )
  t.equal(run?.omitted.calls, 20)
})

test('at most 100 failed runs per second and 10 complete runs per second are kept', async t => {
  const clock = { now: 0 }
  const store = new KeptRuns({ limit: 1000, hide: text => text, now: () => clock.now })
  const timelineOf = () => store.start(one, { requestId: 'r', traceId: undefined, method: 'GET', target: '/' })
  const end = (state: 'failed' | 'complete') =>
    timelineOf().ended({ state, at: 1, status: 200, code: undefined, cancelledBy: undefined }, { deadline: 1000 })
  for (let ms = 0; ms < 1000; ms++) {
    clock.now = ms
    end('failed')
    end('complete')
  }
  t.match(store.list({ limit: 1 }).kept, { failed: 100, complete: 10 })
})

test('without a clock the limits per second follow the real one', async t => {
  const store = new KeptRuns({ limit: 10, hide: text => text })
  t.match(await endedRun(one, { store, runtime: answeringRuntime(lost) }), { state: 'failed' })
})

test('a timeline ignores everything after its end', async t => {
  const store = keptRuns()
  const timeline = store.start(one, { requestId: 'r', traceId: undefined, method: 'GET', target: '/' })
  const end = () =>
    timeline.ended(
      { state: 'failed', at: 1, status: 500, code: 'INTERNAL', cancelledBy: undefined },
      { deadline: 1000 },
    )
  end()
  timeline.callSent(0, 0, ask({ id: 'late' }), 2)
  timeline.event({ type: 'step started', at: 3, step: 0 })
  end()
  t.equal(store.list({ limit: 9 }).runs.length, 1)
  t.match(store.find(timeline.id), { steps: [{ calls: [] }] })
})
