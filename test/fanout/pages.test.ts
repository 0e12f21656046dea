import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { serviceOf } from '../../src/upstream/call/layer.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime, type HeldCall } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle } from '../helpers/oracle.ts'
import { book, page } from '../helpers/page-book.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const base = aggregate('book', { url: '/book', deadline: 10_000 })
const echo = () => answeringRuntime(path => path)

test('the value of pages is the list of the pages in order, and the outcome counts their calls', async t => {
  const runtime = echo()
  const { data, complete, sources } = await fanOut(
    book((_, index) => (index < 3 ? page(index + 1) : undefined)),
    {},
    { runtime },
  )
  t.same([data, complete, runtime.asked], [['/0', '/1', '/2', '/3'], true, ['/0', '/1', '/2', '/3']])
  t.match(sources.pages, { state: 'ok', calls: 4, ok: 4, failed: [], omitted: undefined, code: undefined })
})

test('pages end when next returns undefined, null or an empty list', async t => {
  for (const end of [undefined, null, [], Promise.resolve(), Promise.resolve([])])
    t.match(
      await fanOut(
        book(() => end),
        {},
        { runtime: echo() },
      ),
      {
        data: ['/0'],
        sources: { pages: { state: 'ok', calls: 1, ok: 1 } },
      },
    )
})

test('next gets a frozen copy of the list of pages, which a later page does not change', async t => {
  const changes: readonly ((pages: unknown[]) => unknown)[] = [
    pages => pages.unshift('mine'),
    pages => void (pages[0] = 'mine'),
    pages => void (pages.length = 0),
  ]
  for (const change of changes) {
    const lists: (readonly unknown[])[] = []
    const described = base
      .pages('pages', () => page(0), {
        next: (_, index, __, pages) => {
          lists.push(pages)
          t.throws(() => change(pages as unknown[]), TypeError)
          return index < 2 ? page(index + 1) : undefined
        },
      })
      .reply(Any, ({ pages }) => pages)
    t.same((await fanOut(described, {}, { runtime: echo() })).data, ['/0', '/1', '/2'])
    t.same(lists, [['/0'], ['/0', '/1'], ['/0', '/1', '/2']])
  }
})

test('next gets the last page, its index, the arguments of the step and all pages so far', async t => {
  const given: unknown[] = []
  const described = aggregate('book', { url: '/book/{id}', params: z.object({ id: z.string() }) })
    .context(() => ({ tenant: 't' }))
    .required('size', () => 2)
    .pages('pages', ({ size }) => oracle.ask({ id: size }), {
      needs: ['size'],
      next: (last, index, { params, context, size }, pages) => {
        given.push([last, index, params.id, context.tenant, size, [...pages]])
        return index < 2 ? oracle.ask({ id: `${params.id}${index}` }) : null
      },
    })
    .reply(Any, ({ pages }) => pages)
  const { data } = await fanOut(described, { params: { id: 'a' } }, { runtime: echo() })
  t.same(data, ['/2', '/a0', '/a1'])
  t.same(given, [
    ['/2', 0, 'a', 't', 2, ['/2']],
    ['/a0', 1, 'a', 't', 2, ['/2', '/a0']],
    ['/a1', 2, 'a', 't', 2, ['/2', '/a0', '/a1']],
  ])
})

test('the function of pages may ask before the first page, and its calls are counted in front of the pages', async t => {
  const asking = (onLoss: 'fail' | 'keep' = 'fail') =>
    base
      .pages(
        'pages',
        async ({ ask }) => {
          await ask(oracle.ask({ id: 'start' }))
          return page(0)
        },
        { next: (_, index) => (index === 0 ? [page(1), page(2)] : undefined), onLoss },
      )
      .reply(Any, ({ pages }) => pages)
  const runtime = echo()
  t.match(await fanOut(asking(), {}, { runtime }), {
    data: ['/0', '/1', '/2'],
    sources: { pages: { state: 'ok', calls: 4, ok: 4, failed: [] } },
  })
  t.same(runtime.asked, ['/start', '/0', '/1', '/2'])
  const losing = answeringRuntime(path => (path === '/1' ? fail(new UpstreamError('UPSTREAM_RESET', 'oracle')) : path))
  const failed = [{ index: 2, code: 'UPSTREAM_RESET' }]
  t.match(await fanOut(asking('keep'), {}, { runtime: losing }), {
    data: ['/0'],
    sources: { pages: { state: 'partial', calls: 4, failed } },
  })
  t.match(await problemOf(fanOut(asking(), {}, { runtime: losing })), {
    code: 'UPSTREAM_RESET',
    sources: { pages: { state: 'failed', calls: 4, failed } },
  })
})

test('an async function and an async next are awaited', async t => {
  const described = base
    .pages('pages', async () => page(0), { next: async (_, index) => (index === 0 ? [page(1), page(2)] : undefined) })
    .reply(Any, ({ pages }) => pages)
  t.same((await fanOut(described, {}, { runtime: echo() })).data, ['/0', '/1', '/2'])
})

test('a list of calls is sent at once, and its pages have the order of the list', async t => {
  const runtime = heldRuntime()
  const asked: number[] = []
  const described = book((_, index) => {
    asked.push(index)
    return index === 0 ? times(3, at => page(at + 1)) : undefined
  })
  const run = fanOut(described, {}, { runtime })
  runtime.at('/0').answer('zero')
  await runtime.arrived('/3')
  t.same(
    runtime.calls.map(({ path }) => path),
    ['/0', '/1', '/2', '/3'],
  )
  runtime.at('/3').answer('three')
  runtime.at('/1').answer('one')
  await turn()
  t.same(asked, [0], 'next is called again only after the last page of the list')
  runtime.at('/2').answer('two')
  t.match(await run, { data: ['zero', 'one', 'two', 'three'], sources: { pages: { state: 'ok', calls: 4, ok: 4 } } })
  t.same(asked, [0, 3])
})

test('concurrency limits the calls of a list in flight', async t => {
  const runtime = heldRuntime()
  const described = book((_, index) => (index === 0 ? times(4, at => page(at + 1)) : undefined), { concurrency: 2 })
  const run = fanOut(described, {}, { runtime })
  runtime.at('/0').answer()
  await runtime.arrived('/2')
  t.equal(runtime.calls.length, 3)
  runtime.at('/2').answer()
  await runtime.arrived('/3')
  t.equal(runtime.calls.length, 4)
  runtime.at('/1').answer()
  await runtime.arrived('/4')
  runtime.at('/3').answer()
  runtime.at('/4').answer()
  t.match(await run, { sources: { pages: { state: 'ok', calls: 5 } } })
})

test('next may go on from the last page of a list', async t => {
  const described = book((_, index) => [[page(1), page(2)], undefined, page(3), [page(4)]][index])
  t.same((await fanOut(described, {}, { runtime: echo() })).data, ['/0', '/1', '/2', '/3', '/4'])
})

test('ten thousand pages that answer at once do not exhaust the stack', async t => {
  const runtime = {
    ...echo(),
    send: serviceOf((call, completion) => completion.resolve({ value: call.path, status: 200 } as never)),
  }
  const chain = book((_, index) => (index < 9999 ? page(index + 1) : undefined), { maxPages: 10_000 })
  const { data } = await fanOut(chain, {}, { runtime })
  t.same([(data as unknown[]).length, (data as unknown[]).at(-1)], [10_000, '/9999'])
})

test('a list that shrinks while it is read ends at the first page that does not exist', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    const offset = Number(request.url?.split('=')[1])
    json(offset < 30 ? { offset } : {}, offset < 30 ? 200 : 404)
  })
  const { rows } = defineUpstream(
    'shop',
    { origin: upstream.origin },
    {
      rows: operation({
        path: '/rows',
        query: z.object({ offset: z.number() }),
        output: z.object({ offset: z.number() }),
        nullOn: [404],
      }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const described = base
    .pages('pages', () => rows({ offset: 0 }), {
      next: (_, index) => (index === 0 ? times(4, at => rows({ offset: (at + 1) * 10 })) : undefined),
      concurrency: 1,
    })
    .reply(Any, ({ pages }) => pages)
  t.match(await fanOut(described, {}, { runtime }), {
    data: [{ offset: 0 }, { offset: 10 }, { offset: 20 }],
    complete: true,
    sources: { pages: { state: 'ok', calls: 4, ok: 4, failed: [] } },
  })
  t.equal(upstream.log.length, 4, 'the page behind the end is not called')
})

test('the calls behind the first page that does not exist are aborted, and their pages are left out', async t => {
  const runtime = heldRuntime()
  const run = fanOut(
    book((_, index) => (index === 0 ? times(4, at => page(at + 1)) : undefined)),
    {},
    { runtime },
  )
  runtime.at('/0').answer('zero')
  await runtime.arrived('/4')
  runtime.at('/3').answer('three')
  runtime.at('/2').answer(null, 404)
  await turn()
  t.equal(runtime.at('/4').cut, undefined, 'the page before the end is still awaited')
  runtime.at('/1').answer('one')
  t.match(await run, { data: ['zero', 'one'], sources: { pages: { state: 'ok', calls: 5, ok: 3, failed: [] } } })
  t.match(runtime.at('/4').cut, { reason: { message: 'the step has ended' } })
})

test('a first page that does not exist gives an empty list', async t => {
  const described = book(() => page(1))
  t.match(await fanOut(described, {}, { runtime: answeringRuntime(() => null) }), {
    data: [],
    complete: true,
    sources: { pages: { state: 'ok', calls: 1, ok: 1 } },
  })
})

test('pages that are skipped are an empty list without calls', async t => {
  const described = base
    .pages('pages', (): ReturnType<typeof page> | typeof skip => skip, { next: () => page(1) })
    .reply(Any, ({ pages }) => pages)
  t.match(await fanOut(described, {}, { runtime: echo() }), {
    data: [],
    complete: true,
    sources: { pages: { state: 'skipped', calls: 0, ok: 0, failed: [] } },
  })
})

test('pages with a stale answer of the cache are stale', async t => {
  let isDown = false
  const upstream = await httpUpstream(t, ({ request, response }) => {
    const cacheControl = 'max-age=60, stale-if-error=600'
    response
      .writeHead(isDown && request.url !== '/fresh' ? 503 : 200, {
        'content-type': 'application/json',
        'cache-control': cacheControl,
        age: '90',
      })
      .end(JSON.stringify(request.url))
  })
  const { ask, fresh } = defineUpstream(
    'kept',
    { origin: upstream.origin, retry: false, breaker: false },
    {
      ask: operation({ path: '/{id}', params: z.object({ id: z.number() }), output: z.string(), cache: true }),
      fresh: operation({ path: '/fresh', output: z.string() }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const described = base
    .pages('pages', () => ask({ id: 0 }), { next: (_, index) => (index === 0 ? ask({ id: 1 }) : undefined) })
    .reply(Any, ({ pages }) => pages)
  t.match(await fanOut(described, {}, { runtime }), { sources: { pages: { state: 'ok' } } })
  isDown = true
  t.match(await fanOut(described, {}, { runtime }), {
    data: ['/0', '/1'],
    complete: false,
    sources: { pages: { state: 'stale', calls: 2, ok: 2, failed: [], code: undefined, cache: 'stale' } },
  })
  const asking = base
    .pages(
      'pages',
      async args => {
        await args.ask(ask({ id: 0 }))
        return fresh()
      },
      { next: () => null },
    )
    .reply(Any, ({ pages }) => pages)
  t.match(await fanOut(asking, {}, { runtime }), { data: ['/fresh'], sources: { pages: { state: 'stale', calls: 2 } } })
})

test('pages do not start when the function or next returns something else', async t => {
  const causeOf = async (described: ReturnType<typeof book>) => {
    const { code, cause } = await problemOf(fanOut(described, {}, { runtime: echo() }))
    return [code, String(cause)]
  }
  const first = (returned: unknown) =>
    base.pages('pages', (() => returned) as () => ReturnType<typeof page>, { next: () => null }).reply(Any, () => 1)
  const rejected = () => Promise.reject(new Error('a rejection without a handler'))
  for (const [returned, shown] of [
    [[page(0), rejected()], 'a list'],
    ['/0', 'string'],
    [undefined, 'undefined'],
    [{}, 'an object'],
  ] as const)
    t.same(await causeOf(first(returned)), [
      'INTERNAL',
      `TypeError: step 'pages' must return the call of its first page, got ${shown}: ` +
        'return one call, and further calls from next',
    ])
  for (const [returned, shown] of [
    ['/1', 'string'],
    [7, 'number'],
    [{}, 'an object'],
    [skip, 'an object'],
    [[page(1), undefined], 'a list'],
    [[rejected()], 'a list'],
  ] as const)
    t.same(await causeOf(book(() => returned)), [
      'INTERNAL',
      `TypeError: step 'pages': next must return a call, a list of calls or nothing, got ${shown}: ` +
        'return undefined after the last page',
    ])
})

test('an error that next throws is a bug, also with onLoss keep', async t => {
  const bug = new Error('a bug')
  const reading = {
    // oxlint-disable-next-line unicorn/no-thenable -- reading the value throws
    get then() {
      throw bug
    },
  }
  for (const onLoss of ['fail', 'keep'] as const)
    for (const next of [() => fail(bug), () => Promise.reject(bug), () => reading])
      t.match(await problemOf(fanOut(book(next, { onLoss }), {}, { runtime: echo() })), {
        code: 'INTERNAL',
        cause: bug,
      })
})

test('refuse in next ends the run, also with onLoss keep', async t => {
  for (const next of [() => refuse(409, 'No.'), async () => refuse(409, 'No.')])
    t.match(await problemOf(fanOut(book(next, { onLoss: 'keep' }), {}, { runtime: echo() })), {
      code: 'REFUSED',
      statusCode: 409,
    })
})

test('a cancelled run calls next no more, and sends no call that next returns later', async t => {
  for (const end of [
    (call: HeldCall) => call.answer(),
    (call: HeldCall) => call.fail(new UpstreamError('UPSTREAM_RESET', 'oracle')),
  ]) {
    const runtime = heldRuntime({ deaf: () => true })
    let asked = 0
    const { run, reply } = watched(
      book(() => void asked++),
      { runtime },
    )
    run.cancel(new Error('gone'))
    await t.rejects(reply, { message: 'gone' })
    end(runtime.at('/0'))
    await turn()
    t.equal(asked, 0)
    t.match(run.outcomes, { pages: { state: 'cancelled', calls: undefined } })
  }

  for (const settle of [
    (later: PromiseWithResolvers<unknown>) => later.resolve(page(1)),
    (later: PromiseWithResolvers<unknown>) => later.reject(new Error('late')),
  ]) {
    const runtime = heldRuntime()
    const later = Promise.withResolvers<unknown>()
    const called = Promise.withResolvers<void>()
    const late = watched(
      book(() => {
        called.resolve()
        return later.promise
      }),
      { runtime },
    )
    runtime.at('/0').answer()
    await called.promise
    late.run.cancel(new Error('gone'))
    await t.rejects(late.reply, { message: 'gone' })
    settle(later)
    await turn()
    t.equal(runtime.calls.length, 1)
  }
})

function fail(error: Error): never {
  throw error
}
