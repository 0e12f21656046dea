import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle, oracleAt } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('many', { url: '/many', deadline: 10_000, query: z.object({ count: z.coerce.number() }) })

/** An `each` of as many calls as the caller asks for. */
function listOf(options: {
  readonly maxItems?: number
  readonly overflow?: 'error' | 'truncate'
  readonly concurrency?: number
  readonly minSuccess?: number
  readonly fallback?: unknown
}) {
  return base
    .each('all', ({ query }) => times(query.count, id => oracle.ask({ id })), options as { readonly maxItems?: number })
    .reply(Any, ({ all }) => all)
}
const countOf = (count: number) => ({ query: { count: String(count) } })

/** Answers each call with its path, and fails those of a list. */
function failing(...paths: readonly string[]) {
  return answeringRuntime(path => {
    if (paths.includes(path)) throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
    return path
  })
}

test('a list above maxItems that overflows by truncation is asked up to maxItems, and is partial', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => json(request.url))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { ask } = oracleAt(upstream.origin)
  const described = base
    .required('ids', () => ask({ id: 'ids' }))
    .each('all', ({ ids }) => Array.from(ids as string, id => ask({ id: id.replace('/', '-') })), {
      needs: ['ids'],
      maxItems: 3,
      overflow: 'truncate',
    })
    .reply(Any, ({ all }) => all)
  const { data, complete, sources } = await fanOut(described, countOf(1), { runtime })
  t.same([data, complete], [['/-', '/i', '/d'], false])
  t.match(sources, {
    ids: { state: 'ok' },
    all: { state: 'partial', attempts: 3, calls: 3, ok: 3, failed: [], omitted: 1 },
  })
  t.equal(upstream.log.length, 4)
  t.equal(sources.all.code, undefined)
})

test('a truncated list asks the first maxItems of the list in its order, whatever the numbers are', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(30),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      async (count, maxItems, concurrency) => {
        const runtime = failing()
        const { data, complete, sources } = await fanOut(
          listOf({ maxItems, concurrency, overflow: 'truncate' }),
          countOf(count),
          { runtime },
        )
        const asked = Math.min(count, maxItems)
        const { state, calls, ok, omitted } = sources.all
        t.same(
          { data, complete, state, calls, ok, omitted, asked: runtime.asked },
          {
            data: times(asked, id => `/${id}`),
            complete: count <= maxItems,
            state: count <= maxItems ? 'ok' : 'partial',
            calls: asked,
            ok: asked,
            omitted: count > maxItems ? count - maxItems : undefined,
            asked: times(asked, id => `/${id}`),
          },
        )
        t.equal(Object.hasOwn(sources.all, 'omitted'), count > maxItems)
      },
    ),
    { numRuns: 60 },
  )
})

test('without maxItems the limit is its default of 100', async t => {
  const { sources } = await fanOut(listOf({ overflow: 'truncate' }), countOf(103), { runtime: failing() })
  t.match(sources.all, { state: 'partial', calls: 100, ok: 100, omitted: 3 })
})

test('minSuccess of a truncated list counts the calls that are asked', async t => {
  const options = { maxItems: 3, overflow: 'truncate', fallback: null } as const
  const whole = await fanOut(listOf({ ...options, minSuccess: 3 }), countOf(5), { runtime: failing('/3', '/4') })
  t.same(whole.data, ['/0', '/1', '/2'])
  t.match(whole.sources.all, { state: 'partial', calls: 3, ok: 3, failed: [], omitted: 2 })

  const some = await fanOut(listOf({ ...options, minSuccess: 1 }), countOf(5), { runtime: failing('/0', '/2') })
  t.same(some.data, [null, '/1', null])
  t.match(some.sources.all, { state: 'partial', calls: 3, ok: 1, failed: [{ index: 0 }, { index: 2 }], omitted: 2 })

  const none = await fanOut(listOf({ ...options, minSuccess: 0 }), countOf(5), { runtime: failing('/0', '/1', '/2') })
  t.match(none, {
    data: [null, null, null],
    complete: false,
    sources: { all: { state: 'partial', ok: 0, omitted: 2 } },
  })

  t.equal(
    (await fanOut(listOf({ ...options, minSuccess: 50 }), countOf(5), { runtime: failing() })).sources.all.ok,
    3,
    'a minSuccess above maxItems requires all that are asked',
  )
  const { code, sources } = await problemOf(
    fanOut(listOf({ ...options, minSuccess: 3 }), countOf(5), { runtime: failing('/1') }),
  )
  t.equal(code, 'UPSTREAM_STATUS')
  t.match(sources['all'], { state: 'failed', calls: 3, failed: [{ index: 1 }], omitted: 2 })
})

test('without minSuccess one failed call of a truncated list fails the run', async t => {
  const truncated = listOf({ maxItems: 2, overflow: 'truncate' })
  t.equal((await fanOut(truncated, countOf(3), { runtime: failing('/2') })).complete, false)
  t.match(await problemOf(fanOut(truncated, countOf(3), { runtime: failing('/1') })), {
    code: 'UPSTREAM_STATUS',
    sources: { all: { state: 'failed', calls: 2, omitted: 1 } },
  })
})

test('a list above maxItems is an error by default and by name, under minSuccess 0 too', async t => {
  for (const overflow of [undefined, 'error'] as const)
    for (const tolerance of [{}, { minSuccess: 0, fallback: null }]) {
      const runtime = failing()
      const options = { maxItems: 2, ...tolerance, ...(overflow && { overflow }) }
      t.match(await problemOf(fanOut(listOf(options), countOf(3), { runtime })), {
        code: 'TOO_MANY_ITEMS',
        statusCode: 400,
        detail: 'all asks for more calls than its limit: 3 items, and maxItems is 2.',
        sources: { all: { state: 'failed', code: 'TOO_MANY_ITEMS' } },
      })
      t.same(runtime.asked, [])
    }
})

test('omitted items are in the event, and are not called when other calls have ended', async t => {
  const runtime = heldRuntime()
  const { reply, events } = watched(
    listOf({ maxItems: 2, concurrency: 1, overflow: 'truncate' }),
    { runtime },
    countOf(4),
  )
  for (const path of ['/0', '/1']) {
    ;(await runtime.arrived(path)).answer(path)
    await turn()
  }
  await reply
  t.same(
    runtime.calls.map(({ path, call }) => [path, call.siblingCount]),
    [
      ['/0', 2],
      ['/1', 2],
    ],
    'and the bulkhead counts only the calls that are sent',
  )
  t.strictSame(
    events.find(({ type }) => type === 'step ended'),
    {
      type: 'step ended',
      at: events[2]?.at,
      step: 0,
      state: 'partial',
      code: undefined,
      tally: { calls: 2, ok: 2, failed: [], omitted: 2 },
      run: events[0]?.run,
      stepName: 'all',
    },
  )
})

test('a truncated list with an omitted item that is not a call is an internal error as well', async t => {
  const described = base
    .each('all', () => [oracle.ask({ id: 1 }), 7 as never], { maxItems: 1, overflow: 'truncate' })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, countOf(1), { runtime: failing() })), {
    code: 'INTERNAL',
    cause: { message: "step 'all' must return a list of calls" },
  })
})
