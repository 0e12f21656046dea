import { test } from 'tap'
import fc from 'fast-check'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('many', { url: '/many', deadline: 10_000 })
const Any = z.unknown()

function listOf(
  count: number,
  options: { readonly concurrency?: number; readonly maxItems?: number; readonly timeout?: number },
) {
  return base.each('all', () => times(count, id => oracle.ask({ id })), options).reply(Any, ({ all }) => all)
}

test('an each never has more calls in flight than its concurrency, and always as many as it can', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.nat(50), { minLength: 5, maxLength: 10 }),
      async (count, concurrency, picks) => {
        const runtime = heldRuntime()
        const { reply } = watched(listOf(count, { concurrency }), { runtime })
        const open: number[] = []
        let ended = 0
        for (let known = 0; ; ended++) {
          await turn()
          for (; known < runtime.calls.length; known++) open.push(known)
          if (open.length !== Math.min(concurrency, count - ended)) return false
          if (ended === count) break
          const [next] = open.splice((picks[ended % picks.length] as number) % open.length, 1)
          runtime.calls[next as number]?.answer(`answer ${next}`)
        }
        // Calls are sent in the order of the list, so a call's place in it is its place among the sent.
        return JSON.stringify((await reply).data) === JSON.stringify(times(count, index => `answer ${index}`))
      },
    ),
    { numRuns: 60 },
  )
  t.pass('held for 60 lists')
})

test('a call knows the number of calls of its step to the same upstream', async t => {
  const runtime = heldRuntime()
  const other = defineUpstream(
    'other',
    { origin: 'http://127.0.0.1:9' },
    { ask: operation({ path: '/other', output: z.unknown() }) },
  )
  const described = base
    .each('mixed', () => [
      oracle.ask({ id: 0 }),
      oracle.ask({ id: 1 }),
      other.ask(),
      oracle.ask({ id: 2 }),
      other.ask(),
    ])
    .each('alike', () => times(4, id => oracle.ask({ id })))
    .reply(Any, () => 1)
  const { run } = watched(described, { runtime })
  await turn()
  t.same(
    runtime.calls.map(({ call }) => [call.step, call.spec.upstream.name, call.siblingCount]),
    [
      [0, 'oracle', 3],
      [0, 'oracle', 3],
      [0, 'other', 2],
      [0, 'oracle', 3],
      [0, 'other', 2],
      ...times(4, () => [1, 'oracle', 4]),
    ],
  )
  run.cancel(new Error('seen'))
})

test('an each without concurrency sends all its calls together', async t => {
  const runtime = heldRuntime()
  const { run } = watched(listOf(100, {}), { runtime })
  await turn()
  t.equal(runtime.calls.length, 100)
  run.cancel(new Error('seen'))
  await turn()
  t.equal(run.abort.size, 0)
})

test('calls that wait for the concurrency of an each are not sent when the run has ended', async t => {
  const runtime = heldRuntime()
  const { run } = watched(listOf(20, { concurrency: 16 }), { runtime })
  await turn()
  t.equal(runtime.calls.length, 16)
  run.cancel(new Error('seen'))
  await turn()
  t.equal(runtime.calls.length, 16)
  t.equal(run.abort.size, 0)
})

test("a list above maxItems asks nothing and is the caller's fault without needs", async t => {
  const runtime = answeringRuntime(() => 1)
  const problem = await problemOf(fanOut(listOf(101, {}), {}, { runtime }))
  t.match(problem, {
    code: 'TOO_MANY_ITEMS',
    statusCode: 400,
    detail: /^all asks for more calls than its limit: 101 items, and maxItems is 100\.$/,
  })
  t.match(problem.sources, { all: { state: 'failed', code: 'TOO_MANY_ITEMS' } })
  t.strictSame(runtime.asked, [])
  t.equal((await fanOut(listOf(100, {}), {}, { runtime })).complete, true, 'the limit itself is allowed')
  t.match(await problemOf(fanOut(listOf(3, { maxItems: 2 }), {}, { runtime })), { code: 'TOO_MANY_ITEMS' })
})

test('a list above maxItems that an upstream can have caused is a bad gateway', async t => {
  const runtime = answeringRuntime(() => [1, 2, 3])
  const described = base
    .required('ids', () => oracle.ask({ id: 'ids' }))
    .each('all', ({ ids }) => (ids as number[]).map(id => oracle.ask({ id })), { needs: ['ids'], maxItems: 2 })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime })), { code: 'UPSTREAM_TOO_MANY_ITEMS', statusCode: 502 })
})

test('an empty list and skip are lists without calls', async t => {
  const runtime = answeringRuntime(() => 1)
  const described = base
    .each('none', () => [])
    .each('tolerated', () => [], { minSuccess: 3, fallback: 0 })
    .each('skipped', () => skip)
    .each('later', async () => skip)
    .reply(Any, ({ none, tolerated, skipped, later }) => ({ none, tolerated, skipped, later }))
  const { data, complete, sources } = await fanOut(described, {}, { runtime })
  t.strictSame(data, { none: [], tolerated: [], skipped: [], later: [] })
  t.equal(complete, true)
  t.match(sources, {
    none: { state: 'ok', calls: 0, ok: 0, failed: [] },
    tolerated: { state: 'ok' },
    skipped: { state: 'skipped' },
    later: { state: 'skipped' },
  })
})

test('without tolerance the first failure decides, and the other calls are stopped', async t => {
  const runtime = heldRuntime()
  const { reply, run } = watched(listOf(5, { concurrency: 3 }), { runtime })
  await turn()
  runtime.at('/2').fail(new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 418 }))
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_STATUS', statusCode: 502, detail: /^Step 'all': oracle / })
  t.match(problem.sources, {
    all: {
      state: 'failed',
      code: 'UPSTREAM_STATUS',
      calls: 5,
      ok: 0,
      failed: [{ index: 2, code: 'UPSTREAM_STATUS', status: 418 }],
    },
  })
  t.strictSame(
    runtime.calls.map(({ path, cut }) => [path, cut !== undefined]),
    [
      ['/0', true],
      ['/1', true],
      ['/2', false],
    ],
  )
  t.equal(run.abort.size, 0)
  await turn()
  t.equal(runtime.calls.length, 3, 'what waited is never sent')
})

test('the error that decides is that of the first failure in time, not in the list', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('all', () => times(4, id => oracle.ask({ id })), { minSuccess: 3, fallback: null })
    .reply(Any, ({ all }) => all)
  const { reply } = watched(described, { runtime })
  runtime.at('/3').fail(new UpstreamError('UPSTREAM_JSON', 'oracle'))
  await turn()
  runtime.at('/0').fail(new UpstreamError('UPSTREAM_BUSY', 'oracle', { upstreamStatus: 503 }))
  const problem = await problemOf(reply)
  t.match(problem, { code: 'UPSTREAM_JSON', statusCode: 502 })
  t.strictSame(
    problem.sources['all']?.failed,
    [
      { index: 0, code: 'UPSTREAM_BUSY', status: 503 },
      { index: 3, code: 'UPSTREAM_JSON' },
    ],
    'the losses stand in the order of the list',
  )
})

/** Runs a list of five of which some fail, tolerating as the test says. */
function tolerating(minSuccess: number, failing: readonly string[], fallback: unknown = null) {
  const runtime = answeringRuntime(path => {
    if (failing.includes(path)) throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
    return path
  })
  const described = base
    .each('all', () => times(5, id => oracle.ask({ id })), { concurrency: 2, minSuccess, fallback })
    .reply(Any, ({ all }) => all)
  return fanOut(described, {}, { runtime })
}

test('tolerated losses leave a partial list with the fallback in their places', async t => {
  const { data, complete, sources } = await tolerating(4, ['/1'])
  t.strictSame(data, ['/0', null, '/2', '/3', '/4'])
  t.equal(complete, false)
  t.match(sources.all, {
    state: 'partial',
    calls: 5,
    ok: 4,
    failed: [{ index: 1, code: 'UPSTREAM_STATUS', status: 500 }],
  })
  t.equal(sources.all.code, undefined)

  t.match((await tolerating(4, [])).sources.all, { state: 'ok', calls: 5, ok: 5, failed: [] })
  t.match(await problemOf(tolerating(4, ['/1', '/3'])), {
    code: 'UPSTREAM_STATUS',
    sources: { all: { state: 'failed' } },
  })
})

test('a minSuccess of 0 makes an each optional', async t => {
  const { data, complete, sources } = await tolerating(0, ['/0', '/1', '/2', '/3', '/4'], { none: true })
  t.strictSame(
    data,
    Array.from({ length: 5 }, () => ({ none: true })),
  )
  t.equal(complete, false)
  t.match(sources.all, { state: 'partial', ok: 0 })
})

test('a minSuccess above the length of the list requires all of it', async t => {
  t.equal((await tolerating(50, [])).complete, true)
  t.match(await problemOf(tolerating(50, ['/4'])), { code: 'UPSTREAM_STATUS' })
})

test('the fallback of lost calls is shared and so frozen', async t => {
  const { data } = await tolerating(0, ['/0', '/1'], { deep: [{ er: 1 }] })
  const [first, second] = data as readonly { readonly deep: readonly { er: number }[] }[]
  t.ok(Object.isFrozen(first) && Object.isFrozen(first?.deep) && Object.isFrozen(first?.deep[0]))
  t.equal(first, second)
})

test('an error that is not an upstream failure is an internal error even if losses are tolerated', async t => {
  const runtime = answeringRuntime(path => {
    if (path === '/1') throw new TypeError('a secret of the stack')
    return path
  })
  const described = base
    .each('all', () => times(3, id => oracle.ask({ id })), { minSuccess: 0, fallback: null })
    .reply(Any, ({ all }) => all)
  const problem = await problemOf(fanOut(described, {}, { runtime }))
  t.match(problem, {
    code: 'INTERNAL',
    statusCode: 500,
    cause: TypeError,
    sources: { all: { state: 'failed', code: 'INTERNAL' } },
  })
  t.notMatch(JSON.stringify(problem), 'secret')
})

test('an each that does not return a list of calls is an internal error', async t => {
  const runtime = answeringRuntime(() => 1)
  for (const wrong of [undefined, 3, [3], oracle.ask({ id: 1 }), [oracle.ask({ id: 1 }), null]]) {
    const described = base.each('all', () => wrong as never).reply(Any, () => 1)
    t.match(await problemOf(fanOut(described, {}, { runtime })), {
      code: 'INTERNAL',
      statusCode: 500,
      cause: { message: "step 'all' must return a list of calls" },
    })
  }
})

test('each of several lists has its own concurrency', async t => {
  const runtime = heldRuntime()
  const described = base
    .each('a', () => times(5, id => oracle.ask({ id: `a${id}` })), { concurrency: 2 })
    .each('b', () => times(5, id => oracle.ask({ id: `b${id}` })), { concurrency: 3 })
    .reply(Any, () => 1)
  const { run } = watched(described, { runtime })
  await turn()
  t.strictSame(runtime.calls.map(({ path }) => path).sort(), ['/a0', '/a1', '/b0', '/b1', '/b2'])
  run.cancel(new Error('seen'))
})

test('an each that need not be answered at all is empty when it cannot be asked', async t => {
  const described = aggregate('tolerant', { url: '/tolerant' })
    .each(
      'list',
      () => {
        throw new UpstreamError('CALL_INPUT_INVALID', 'oracle.ask')
      },
      { minSuccess: 0, fallback: null },
    )
    .reply(z.unknown(), ({ list }) => list)
  const { data, complete, sources } = await fanOut(described, {}, { runtime: heldRuntime() })
  t.same(data, [])
  t.equal(complete, false)
  t.match(sources, { list: { state: 'fallback', code: 'CALL_INPUT_INVALID', calls: 0, ok: 0, failed: [] } })
})
