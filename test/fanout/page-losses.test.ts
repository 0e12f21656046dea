import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { book, chainedBook, listedBook, page, type BookOptions } from '../helpers/page-book.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const status = (code: number) => new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: code })

/** Answers each call with its path, and fails those of a list. */
function failing(...paths: readonly string[]) {
  return answeringRuntime(path => {
    if (paths.includes(path)) throw status(500)
    return path
  })
}

test('a page that fails fails the run with its code', async t => {
  for (const [described, calls] of [
    [chainedBook(4), 3],
    [listedBook(4, { concurrency: 1 }), 3],
  ] as const) {
    const problem = await problemOf(fanOut(described, {}, { runtime: failing('/2') }))
    t.match(problem, {
      code: 'UPSTREAM_STATUS',
      statusCode: 502,
      sources: {
        pages: {
          state: 'failed',
          code: 'UPSTREAM_STATUS',
          calls,
          ok: 2,
          failed: [{ index: 2, code: 'UPSTREAM_STATUS', status: 500 }],
        },
      },
    })
  }
  t.match(await problemOf(fanOut(chainedBook(4), {}, { runtime: failing('/0') })), { code: 'UPSTREAM_STATUS' })
})

test('the calls of the other pages are aborted when one page fails the run', async t => {
  const runtime = heldRuntime()
  const run = problemOf(fanOut(listedBook(4), {}, { runtime }))
  runtime.at('/0').answer()
  await runtime.arrived('/3')
  runtime.at('/2').fail(status(500))
  t.match(await run, { sources: { pages: { calls: 4, ok: 1, failed: [{ index: 2 }] } } })
  t.not(runtime.at('/1').cut, undefined)
  t.not(runtime.at('/3').cut, undefined)
})

test('onLoss keep uses the pages before the first one that fails', async t => {
  t.match(await fanOut(chainedBook(4, { onLoss: 'keep' }), {}, { runtime: failing('/2') }), {
    data: ['/0', '/1'],
    complete: false,
    sources: {
      pages: {
        state: 'partial',
        calls: 3,
        ok: 2,
        failed: [{ index: 2, code: 'UPSTREAM_STATUS', status: 500 }],
        code: undefined,
      },
    },
  })
  t.match(await fanOut(chainedBook(4, { onLoss: 'keep' }), {}, { runtime: failing('/0') }), {
    data: [],
    sources: { pages: { state: 'partial', calls: 1, ok: 0, failed: [{ index: 0 }] } },
  })
  t.match(await fanOut(chainedBook(4, { onLoss: 'keep' }), {}, { runtime: failing() }), {
    complete: true,
    sources: { pages: { state: 'ok', calls: 4, ok: 4, failed: [] } },
  })
})

test('onLoss keep waits for the pages before the lost one, and aborts those behind it', async t => {
  const runtime = heldRuntime()
  const run = fanOut(listedBook(6, { onLoss: 'keep', concurrency: 4 }), {}, { runtime })
  runtime.at('/0').answer('zero')
  await runtime.arrived('/4')
  runtime.at('/4').answer('four')
  await runtime.arrived('/5')
  runtime.at('/5').fail(status(404))
  runtime.at('/2').fail(status(500))
  await turn()
  t.equal(runtime.at('/3').cut, undefined, 'the step has not ended')
  runtime.at('/1').answer('one')
  t.match(await run, {
    data: ['zero', 'one'],
    sources: {
      pages: {
        state: 'partial',
        calls: 6,
        ok: 2,
        failed: [
          { index: 2, status: 500 },
          { index: 5, status: 404 },
        ],
      },
    },
  })
  t.match(runtime.at('/3').cut, { reason: { message: 'the step has ended' } })
})

test('onLoss keep sends no page behind a lost one', async t => {
  const runtime = failing('/2')
  await fanOut(listedBook(9, { onLoss: 'keep', concurrency: 1 }), {}, { runtime })
  t.same(runtime.asked, ['/0', '/1', '/2'])
})

test('a failure behind the first page that does not exist leaves the list whole with onLoss keep', async t => {
  const runtime = heldRuntime()
  const run = fanOut(listedBook(4, { onLoss: 'keep' }), {}, { runtime })
  runtime.at('/0').answer('zero')
  await runtime.arrived('/3')
  runtime.at('/3').fail(status(500))
  await turn()
  runtime.at('/2').answer(null)
  runtime.at('/1').answer('one')
  t.match(await run, {
    data: ['zero', 'one'],
    complete: true,
    sources: { pages: { state: 'ok', calls: 4, ok: 3, failed: [{ index: 3, status: 500 }] } },
  })
})

test('an error that is not a failure of an upstream fails the run, also with onLoss keep', async t => {
  const bug = new Error('a bug of a layer')
  const runtime = answeringRuntime(path => {
    if (path === '/1') throw bug
    return path
  })
  t.match(await problemOf(fanOut(chainedBook(3, { onLoss: 'keep' }), {}, { runtime })), {
    code: 'INTERNAL',
    cause: bug,
  })
})

const { row } = defineUpstream(
  'shop',
  { origin: 'http://shop.test' },
  { row: operation({ path: '/{id}', params: z.object({ id: z.string().max(3) }), output: Any }) },
)
const rowsOf = (next: (page: unknown, index: number) => unknown, options: BookOptions = {}) =>
  aggregate('rows', { url: '/rows' })
    .pages('rows', () => row({ id: '0' }), { next: next as () => undefined, ...options })
    .reply(Any, ({ rows }) => rows)

test('an input that a page makes invalid is blamed on the upstream, and is a lost page', async t => {
  const next = (_: unknown, index: number) => (index === 0 ? row({ id: '1' }) : row({ id: 'too long' }))
  for (const each of [next, async (last: unknown, index: number) => next(last, index)]) {
    const failed = watched(rowsOf(each), { runtime: failing() })
    t.match(await problemOf(failed.reply), {
      code: 'UPSTREAM_CALL_INPUT_INVALID',
      statusCode: 502,
      sources: { rows: { state: 'failed', calls: 3, ok: 2, failed: [{ index: 2 }] } },
    })
    t.match(failed.run.lost, [{ step: 0, operation: 'shop.row', error: { code: 'UPSTREAM_CALL_INPUT_INVALID' } }])

    const kept = watched(rowsOf(each, { onLoss: 'keep' }), { runtime: failing() })
    t.match(await kept.reply, {
      data: ['/0', '/1'],
      sources: {
        rows: { state: 'partial', calls: 3, ok: 2, failed: [{ index: 2, code: 'UPSTREAM_CALL_INPUT_INVALID' }] },
      },
    })
    t.match(kept.run.lost, [{ step: 0, operation: 'shop.row' }])
  }
})

test('an upstream error that next throws is a lost page', async t => {
  const kept = watched(
    book(
      () => {
        throw new UpstreamError('UPSTREAM_SCHEMA', 'oracle')
      },
      { onLoss: 'keep' },
    ),
    { runtime: failing() },
  )
  t.match(await kept.reply, {
    sources: { pages: { state: 'partial', failed: [{ index: 1, code: 'UPSTREAM_SCHEMA' }] } },
  })
  t.same(kept.run.lost, [])
})

test('an invalid input of the first page fails the run, or gives an empty list with onLoss keep', async t => {
  const described = (onLoss: 'fail' | 'keep') =>
    aggregate('rows', { url: '/rows' })
      .pages('rows', () => row({ id: 'too long' }), { next: () => undefined, onLoss })
      .reply(Any, ({ rows }) => rows)
  t.match(await problemOf(fanOut(described('fail'), {}, { runtime: failing() })), { code: 'CALL_INPUT_INVALID' })
  t.match(await fanOut(described('keep'), {}, { runtime: failing() }), {
    data: [],
    complete: false,
    sources: { rows: { state: 'fallback', code: 'CALL_INPUT_INVALID', calls: 0, ok: 0, failed: [] } },
  })
})

test('under load pages with onLoss keep are shed, and pages that must not fail are read', async t => {
  t.match(await fanOut(chainedBook(2, { onLoss: 'keep' }), {}, { runtime: failing(), shedOptional: true }), {
    data: [],
    sources: { pages: { state: 'fallback', code: 'SHED', calls: 0 } },
  })
  t.match(await fanOut(chainedBook(2), {}, { runtime: failing(), shedOptional: true }), {
    data: ['/0', '/1'],
    complete: true,
  })
})

test('the timeout of pages ends them, in a call and in next', async t => {
  for (const isDeaf of [false, true]) {
    const runtime = heldRuntime({ deaf: () => isDeaf })
    const run = fanOut(chainedBook(3, { onLoss: 'keep', timeout: 20 }), {}, { runtime })
    runtime.at('/0').answer('zero')
    await runtime.arrived('/1')
    t.match(await run, {
      data: ['zero'],
      sources: { pages: { state: 'partial', calls: 2, ok: 1, failed: [{ index: 1, code: 'STEP_TIMEOUT' }] } },
    })
  }
  const never = () => new Promise(() => {})
  t.match(await fanOut(book(never, { onLoss: 'keep', timeout: 20 }), {}, { runtime: failing() }), {
    data: ['/0'],
    sources: { pages: { state: 'partial', calls: 2, ok: 1, failed: [{ index: 1, code: 'STEP_TIMEOUT' }] } },
  })
  t.match(await problemOf(fanOut(book(never, { timeout: 20 }), {}, { runtime: failing() })), { code: 'STEP_TIMEOUT' })
})

test('the deadline of the run ends pages, and keeps those that have arrived with onLoss keep', async t => {
  const runtime = heldRuntime()
  const next = (_: unknown, index: number) => (index === 0 ? times(3, at => page(at + 1)) : undefined)
  const run = fanOut(book(next, { onLoss: 'keep' }, 60), {}, { runtime })
  runtime.at('/0').answer('zero')
  await runtime.arrived('/3')
  runtime.at('/1').answer('one')
  runtime.at('/3').answer('three')
  t.match(await run, {
    data: ['zero', 'one'],
    sources: { pages: { state: 'partial', calls: 4, ok: 2, failed: [{ index: 2, code: 'DEADLINE_EXCEEDED' }] } },
  })
  t.match(await problemOf(fanOut(book(next, {}, 20), {}, { runtime: heldRuntime() })), { code: 'DEADLINE_EXCEEDED' })
})

test('a page that is answered after the step has ended is ignored', async t => {
  const runtime = heldRuntime({ deaf: path => path === '/2' })
  const run = fanOut(listedBook(3, { onLoss: 'keep' }), {}, { runtime })
  runtime.at('/0').answer('zero')
  await runtime.arrived('/2')
  runtime.at('/1').fail(status(500))
  t.same((await run).data, ['zero'])
  runtime.at('/2').answer('two')
  await turn()
  t.match(await run, { sources: { pages: { ok: 1, failed: [{ index: 1 }] } } })
})

test('the list of pages with onLoss keep belongs to its run, so a merge may change it', async t => {
  for (const [first, pages] of [
    [() => skip, []],
    [() => page(0), []],
    [() => page(1), ['/1']],
  ] as const) {
    const described = aggregate('book', { url: '/book' })
      .pages('pages', first as () => ReturnType<typeof page>, { next: () => page(0), onLoss: 'keep' })
      .reply(Any, seen => [...seen.pages, seen.pages.push('mine')])
    const { data } = await fanOut(described, {}, { runtime: failing('/0') })
    const again = await fanOut(described, {}, { runtime: failing('/0') })
    t.same(
      [data, again.data],
      [1, 2].map(() => [...pages, pages.length + 1]),
    )
  }
})
