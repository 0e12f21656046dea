import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { book, chainedBook, listedBook, page } from '../helpers/page-book.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()
const echo = () => answeringRuntime(path => path)

test('pages above maxPages fail the run, whatever onLoss is, and are not called', async t => {
  for (const onLoss of ['fail', 'keep'] as const) {
    const chained = echo()
    t.match(await problemOf(fanOut(chainedBook(9, { maxPages: 3, onLoss }), {}, { runtime: chained })), {
      code: 'UPSTREAM_TOO_MANY_ITEMS',
      statusCode: 502,
      detail: 'pages received more items or pages from an upstream than its limit: more than maxPages, which is 3.',
      sources: { pages: { state: 'failed', calls: 3, ok: 3, failed: [] } },
    })
    t.same(chained.asked, ['/0', '/1', '/2'])

    const listed = echo()
    t.match(await problemOf(fanOut(listedBook(9, { maxPages: 3, onLoss }), {}, { runtime: listed })), {
      code: 'UPSTREAM_TOO_MANY_ITEMS',
      detail: /: 9 pages, and maxPages is 3\.$/,
      sources: { pages: { state: 'failed', calls: 1, ok: 1, failed: [] } },
    })
    t.same(listed.asked, ['/0'])
  }
})

test('without maxPages the limit of pages is 100', async t => {
  t.match(await problemOf(fanOut(listedBook(101), {}, { runtime: echo() })), {
    detail: /: 101 pages, and maxPages is 100\.$/,
  })
  t.match(await fanOut(listedBook(100), {}, { runtime: echo() }), {
    complete: true,
    sources: { pages: { calls: 100 } },
  })
})

test('pages that overflow by truncation are read up to maxPages, and are partial', async t => {
  const chained = echo()
  t.match(await fanOut(chainedBook(9, { maxPages: 3, overflow: 'truncate' }), {}, { runtime: chained }), {
    data: ['/0', '/1', '/2'],
    complete: false,
    sources: { pages: { state: 'partial', calls: 3, ok: 3, failed: [], omitted: null } },
  })
  t.same(chained.asked, ['/0', '/1', '/2'])

  const listed = echo()
  t.match(await fanOut(listedBook(9, { maxPages: 3, overflow: 'truncate' }), {}, { runtime: listed }), {
    data: ['/0', '/1', '/2'],
    complete: false,
    sources: { pages: { state: 'partial', calls: 3, ok: 3, failed: [], omitted: 6 } },
  })
  t.same(listed.asked, ['/0', '/1', '/2'])
})

test('pages that end at maxPages are complete', async t => {
  for (const described of [chainedBook, listedBook])
    t.match(await fanOut(described(3, { maxPages: 3, overflow: 'truncate' }), {}, { runtime: echo() }), {
      complete: true,
      sources: { pages: { state: 'ok', calls: 3, omitted: undefined } },
    })
  const grown = book((_, index) => [[page(1), page(2)], undefined, [page(3), page(4)]][index], {
    maxPages: 3,
    overflow: 'truncate',
  })
  t.match(await fanOut(grown, {}, { runtime: echo() }), {
    sources: { pages: { state: 'partial', calls: 3, omitted: 2 } },
  })
})

test('a truncated list with a lost page reports both, and one that shrinks below maxPages is whole', async t => {
  const described = listedBook(9, { maxPages: 3, overflow: 'truncate', onLoss: 'keep' })
  const lost = answeringRuntime(path => {
    if (path === '/2') throw new UpstreamError('UPSTREAM_STATUS', 'oracle')
    return path
  })
  t.match(await fanOut(described, {}, { runtime: lost }), {
    data: ['/0', '/1'],
    sources: { pages: { state: 'partial', calls: 3, ok: 2, failed: [{ index: 2 }], omitted: 6 } },
  })
  const shrunk = answeringRuntime(path => (path === '/2' ? null : path))
  const { data, complete, sources } = await fanOut(described, {}, { runtime: shrunk })
  t.same([data, complete, Object.hasOwn(sources.pages, 'omitted')], [['/0', '/1'], true, false])
})

const loop = (here: number, there: number) =>
  `oracle.ask refers to a page that was already requested: page ${here} has the same call as page ${there}, counted from 0.`

test('a page that refers to itself or to an earlier one ends with UPSTREAM_PAGE_LOOP', async t => {
  const itself = watched(
    book(() => page(0)),
    { runtime: echo() },
  )
  t.match(await problemOf(itself.reply), {
    code: 'UPSTREAM_PAGE_LOOP',
    statusCode: 502,
    title: 'Pages repeat',
    detail: `Step 'pages': ${loop(1, 0)}`,
    sources: { pages: { state: 'failed', code: 'UPSTREAM_PAGE_LOOP', calls: 2, ok: 1, failed: [{ index: 1 }] } },
  })
  t.match(itself.run.lost, [{ step: 0, operation: 'oracle.ask', error: { code: 'UPSTREAM_PAGE_LOOP' } }])

  const runtime = echo()
  t.match(
    await problemOf(
      fanOut(
        book((_, index) => page((index + 1) % 3)),
        {},
        { runtime },
      ),
    ),
    {
      code: 'UPSTREAM_PAGE_LOOP',
      detail: `Step 'pages': ${loop(3, 0)}`,
    },
  )
  t.same(runtime.asked, ['/0', '/1', '/2'], 'no page is called twice')
})

test('a loop is reported as a loop at the limit of the pages too', async t => {
  for (const overflow of ['error', 'truncate'] as const)
    t.match(
      await problemOf(
        fanOut(
          book((_, at) => page((at + 1) % 3), { maxPages: 3, overflow }),
          {},
          { runtime: echo() },
        ),
      ),
      {
        code: 'UPSTREAM_PAGE_LOOP',
      },
    )
})

test('a loop is a lost page with onLoss keep, and the pages before it are read', async t => {
  t.match(
    await fanOut(
      book(() => page(0), { onLoss: 'keep' }),
      {},
      { runtime: echo() },
    ),
    {
      data: ['/0'],
      sources: { pages: { state: 'partial', calls: 2, ok: 1, failed: [{ index: 1, code: 'UPSTREAM_PAGE_LOOP' }] } },
    },
  )
  const runtime = echo()
  const described = book(() => [1, 2, 1, 4].map(page), { onLoss: 'keep' })
  t.match(await fanOut(described, {}, { runtime }), {
    data: ['/0', '/1', '/2'],
    sources: { pages: { state: 'partial', calls: 4, ok: 3, failed: [{ index: 3, code: 'UPSTREAM_PAGE_LOOP' }] } },
  })
  t.same(runtime.asked, ['/0', '/1', '/2'])
})

test('calls with equal paths and other headers are other pages', async t => {
  const { list } = defineUpstream(
    'shop',
    { origin: 'http://shop.test' },
    { list: operation({ path: '/list', headers: z.object({ 'x-cursor': z.string() }), output: Any }) },
  )
  const described = (count: number) =>
    aggregate('found', { url: '/found' })
      .pages('found', () => list({ headers: { 'x-cursor': '0' } }), {
        next: (_, index) => list({ headers: { 'x-cursor': String((index + 1) % count) } }),
        overflow: 'truncate',
        maxPages: 3,
      })
      .reply(Any, ({ found }) => found)
  t.match(await fanOut(described(9), {}, { runtime: echo() }), { data: ['/list', '/list', '/list'] })
  t.match(await problemOf(fanOut(described(2), {}, { runtime: echo() })), { code: 'UPSTREAM_PAGE_LOOP' })
})

test('calls with equal paths and other bodies are other pages', async t => {
  const { search } = defineUpstream(
    'shop',
    { origin: 'http://shop.test' },
    { search: operation({ method: 'POST', path: '/search', body: z.object({ after: z.number() }), output: Any }) },
  )
  const described = (count: number) =>
    aggregate('found', { url: '/found' })
      .pages('found', () => search({ body: { after: 0 } }), {
        next: (_, index) => search({ body: { after: (index + 1) % count } }),
        overflow: 'truncate',
        maxPages: 3,
      })
      .reply(Any, ({ found }) => found)
  t.match(await fanOut(described(9), {}, { runtime: echo() }), { data: ['/search', '/search', '/search'] })
  t.match(await problemOf(fanOut(described(2), {}, { runtime: echo() })), { code: 'UPSTREAM_PAGE_LOOP' })
})

test('calls that differ in a header or in a multipart body are other pages', async t => {
  const { list, search } = defineUpstream(
    'shop',
    { origin: 'http://shop.test' },
    {
      list: operation({ path: '/list', headers: z.object({ 'x-cursor': z.number() }), output: Any }),
      search: operation({
        method: 'POST',
        path: '/search',
        bodyType: 'multipart',
        body: z.object({ after: z.string() }),
        output: Any,
      }),
    },
  )
  const described = (call: (after: number) => Call<unknown>, count: number) =>
    aggregate('found', { url: '/found' })
      .pages('found', () => call(0), {
        next: (_, index) => call((index + 1) % count),
        overflow: 'truncate',
        maxPages: 3,
      })
      .reply(Any, ({ found }) => found)
  const byHeader = (after: number) => list({ headers: { 'x-cursor': after } })
  const byBody = (after: number) => search({ body: { after: String(after) } })
  t.match(await fanOut(described(byHeader, 9), {}, { runtime: echo() }), { data: ['/list', '/list', '/list'] })
  t.match(await problemOf(fanOut(described(byHeader, 2), {}, { runtime: echo() })), { code: 'UPSTREAM_PAGE_LOOP' })
  t.match(await fanOut(described(byBody, 9), {}, { runtime: echo() }), { data: ['/search', '/search', '/search'] })
})

test('each call with a body that is a stream is another page', async t => {
  const { search } = defineUpstream(
    'shop',
    { origin: 'http://shop.test' },
    {
      search: operation({
        method: 'POST',
        path: '/search',
        bodyType: 'bytes',
        body: z.custom<ReadableStream<Uint8Array>>(),
        output: Any,
      }),
    },
  )
  const call = () => search({ body: new ReadableStream() })
  const described = aggregate('found', { url: '/found' })
    .pages('found', call, { next: (_, index) => (index < 2 ? call() : undefined) })
    .reply(Any, ({ found }) => found)
  t.match(await fanOut(described, {}, { runtime: echo() }), { data: ['/search', '/search', '/search'] })
  const one = call()
  const twice = aggregate('found', { url: '/found' })
    .pages('found', () => one, { next: () => one })
    .reply(Any, ({ found }) => found)
  t.match(await problemOf(fanOut(twice, {}, { runtime: echo() })), { code: 'UPSTREAM_PAGE_LOOP' })
})
