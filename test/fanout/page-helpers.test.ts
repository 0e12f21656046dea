import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { byCursor } from '../../src/fanout/page-by-cursor.ts'
import { byLink } from '../../src/fanout/page-by-link.ts'
import { byOffset } from '../../src/fanout/page-by-offset.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'

type Query = Readonly<Record<string, string | undefined>>

/** The query that `byLink` reads from a link, or undefined after the last page. */
function queryOf(link: string | readonly string[] | null | undefined): Query | undefined {
  let found: Query | undefined
  byLink<null, null, ReturnType<typeof oracle.ask>>(
    () => link,
    query => {
      found = query
      return oracle.ask({ id: 'next' })
    },
  )(null, 0, null)
  return found === undefined ? undefined : { ...found }
}

test('byLink reads the query of a Link header, and of an address', t => {
  for (const link of [
    '<https://api.example/v1/tags?page=2&per_page=5>; rel="next"',
    ['</0>; rel=first', '<?page=2&per_page=5#rows>; rel=next'],
    ' </tags?page=2&per_page=5>; rel=next, </tags?page=9>; rel=last',
    'https://api.example/v1/tags?page=2&per_page=5',
    '/tags?page=1&page=2&per_page=5#?page=3',
    '?page=2&per_page=5',
  ])
    t.same(queryOf(link), { page: '2', per_page: '5' }, String(link))
  t.same(queryOf('/tags?q=a+b%26c&%C3%A9=%F0'), { q: 'a b&c', é: '\ufffd' })
  t.same(queryOf('/tags'), {})
  t.end()
})

test('an argument of byLink, byCursor or byOffset that is not a function is refused', t => {
  const call = () => oracle.ask({ id: 1 })
  const none = undefined as never
  for (const [make, message] of [
    [() => byLink(none, call), 'byLink: link must be a function, got undefined'],
    [() => byLink(() => '', 'page' as never), 'byLink: call must be a function, got page'],
    [() => byCursor(none, call), 'byCursor: cursor must be a function, got undefined'],
    [() => byCursor(() => 1, none), 'byCursor: call must be a function, got undefined'],
    [() => byOffset({ total: 5 as never, count: () => 1 }, call), 'byOffset: total must be a function, got 5'],
    [() => byOffset({ total: () => 1, count: none }, call), 'byOffset: count must be a function, got undefined'],
  ] as const)
    t.throws(make, { name: 'TypeError', message })
  t.end()
})

test('byLink ends without a link to a next page', t => {
  for (const link of [undefined, null, '', [], '<?page=1>; rel=prev', ['<?page=1>; rel=first']])
    t.equal(queryOf(link), undefined)
  t.end()
})

test('the query of byLink has only the fields of the link', t => {
  byLink<string, null, ReturnType<typeof oracle.ask>>(
    page => page,
    query => {
      t.equal(query['constructor'], undefined)
      t.equal(query['__proto__'], 'x')
      return oracle.ask({ id: 0 })
    },
  )('/?__proto__=x', 0, null)
  t.end()
})

test('pages follow the Link headers of an upstream, and never its host or its path', async t => {
  const upstream = await httpUpstream(t, ({ request, response }) => {
    const page = Number(new URL(request.url ?? '', 'http://x.test').searchParams.get('page') ?? 1)
    const link = page < 3 ? `<http://169.254.169.254/secret?page=${page + 1}>; rel="next"` : '<?page=1>; rel="first"'
    response.writeHead(200, { 'content-type': 'application/json', link }).end(JSON.stringify([`row ${page}`]))
  })
  const github = defineUpstream(
    'github',
    { origin: upstream.origin },
    {
      tags: operation({
        path: '/repos/{repo}/tags',
        params: z.object({ repo: z.string() }),
        query: z.object({ page: z.string().optional() }),
        output: z.array(z.string()),
        responseHeaders: z.object({ link: z.string().optional() }),
      }),
    },
  )
  const described = aggregate('tags', { url: '/tags/{repo}', params: z.object({ repo: z.string() }) })
    .pages('tags', ({ params }) => github.tags({ repo: params.repo }), {
      next: byLink(
        ({ headers }) => headers.link,
        ({ page }, _, { params }) => github.tags({ repo: params.repo, page }),
      ),
    })
    .reply(z.array(z.string()), ({ tags }) => tags.flatMap(({ body }) => body))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { data } = await fanOut(described, { params: { repo: 'node' } }, { runtime })
  t.same(data, ['row 1', 'row 2', 'row 3'])
  t.same(upstream.log, ['GET /repos/node/tags', 'GET /repos/node/tags?page=2', 'GET /repos/node/tags?page=3'])
})

test('pages follow a cursor until it is null, undefined or an empty text', async t => {
  const { list } = defineUpstream(
    'shop',
    { origin: 'http://shop.test' },
    {
      list: operation({
        path: '/{id}',
        params: z.object({ id: z.union([z.string(), z.number()]) }),
        output: z.object({ after: z.union([z.string(), z.number()]).nullish() }),
      }),
    },
  )
  for (const last of [null, undefined, '']) {
    const runtime = answeringRuntime(path => ({ after: { '/first': 'a', '/a': 0, '/0': last }[path] }))
    const described = aggregate('rows', { url: '/rows' })
      .pages('rows', () => list({ id: 'first' }), {
        next: byCursor(
          page => page.after,
          after => list({ id: after }),
        ),
      })
      .reply(z.unknown(), ({ rows }) => rows.length)
    t.equal((await fanOut(described, {}, { runtime })).data, 3, 'the cursor 0 is a cursor')
    t.same(runtime.asked, ['/first', '/a', '/0'])
  }
})

interface Rows {
  readonly rows: readonly number[]
  readonly total: number
}
const { rows } = defineUpstream(
  'shop',
  { origin: 'http://shop.test' },
  {
    rows: operation({
      path: '/rows',
      query: z.object({ offset: z.number() }),
      output: z.object({ rows: z.array(z.number()), total: z.number() }),
    }),
  },
)
const offsetOf = (path: string) => Number(path.split('=')[1])

/** Reads all rows of a list that changes: `listAt` returns it for the number of calls so far. */
async function readRows(listAt: (calls: number) => readonly number[], size: number, options: object = {}) {
  let calls = 0
  const runtime = answeringRuntime((path): Rows => {
    const list = listAt(calls++)
    const offset = offsetOf(path)
    return { rows: list.slice(offset, offset + size), total: list.length }
  })
  const described = aggregate('rows', { url: '/rows' })
    .pages('rows', () => rows({ offset: 0 }), {
      next: byOffset({ total: page => page.total, count: page => page.rows.length }, offset => rows({ offset })),
      ...options,
    })
    .reply(z.array(z.number()), ({ rows }) => rows.flatMap(page => page.rows))
  const { data, sources } = await fanOut(described, {}, { runtime })
  return { data, pages: sources.rows, offsets: runtime.asked.map(offsetOf) }
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('byOffset calls all further offsets at once, by the number of rows of the first page', async t => {
  const { data, offsets, pages } = await readRows(() => upTo(23), 5)
  t.same([data, offsets], [upTo(23), [0, 5, 10, 15, 20]])
  t.match(pages, { state: 'ok', calls: 5, ok: 5 })
  for (const count of [0, 3, 5]) t.same((await readRows(() => upTo(count), 5)).offsets, [0], `${count} rows`)
  t.same((await readRows(() => upTo(6), 5)).offsets, [0, 5])
})

test('byOffset follows a list that grows while it is read', async t => {
  const { data, offsets } = await readRows(calls => upTo(calls < 4 ? 20 : 28), 5)
  t.same(offsets, [0, 5, 10, 15], 'the growth came after the last page')
  t.same(data, upTo(20))
  const grown = await readRows(calls => upTo(calls < 3 ? 20 : 28), 5)
  t.same([grown.offsets, grown.data], [[0, 5, 10, 15, 20, 25], upTo(28)])
  t.match(grown.pages, { state: 'ok', calls: 6, ok: 6 })
})

test('byOffset reads a list that shrinks while it is read, with pages that are empty', async t => {
  const { data, offsets, pages } = await readRows(calls => upTo(calls === 0 ? 20 : 8), 5)
  t.same([data, offsets], [upTo(8), [0, 5, 10, 15]])
  t.match(pages, { state: 'ok', calls: 4 })
})

test('byOffset refuses a total or a count that is not a number', async t => {
  const page = { rows: [1], total: 5 }
  const rejected = Promise.reject(new Error('a promise is not a number'))
  for (const value of [undefined, null, '5', Number.NaN, Infinity, rejected] as readonly unknown[]) {
    const message = (name: string) => `byOffset: ${name} must return a finite number, got ${String(value)}`
    const next = (readers: object) => byOffset(readers as never, () => oracle.ask({ id: 1 }))(page, 0, null, [page])
    t.throws(() => next({ total: () => value, count: () => 1 }), { name: 'TypeError', message: message('total') })
    t.throws(() => next({ total: () => 5, count: () => value }), { name: 'TypeError', message: message('count') })
  }
})

test('a total that is wrong makes no more calls than maxPages allows', async t => {
  let made = 0
  const described = (overflow: 'error' | 'truncate') =>
    aggregate('rows', { url: '/rows' })
      .pages('rows', () => rows({ offset: 0 }), {
        next: byOffset({ total: page => page.total, count: page => page.rows.length }, offset => {
          made++
          return rows({ offset })
        }),
        overflow,
        maxPages: 3,
      })
      .reply(z.unknown(), () => 1)
  const runtime = answeringRuntime((): Rows => ({ rows: [1], total: 1e15 }))
  t.match(await problemOf(fanOut(described('error'), {}, { runtime })), {
    code: 'UPSTREAM_TOO_MANY_ITEMS',
    detail: /: 1000000000000000 pages, and maxPages is 3\.$/,
  })
  t.match(await fanOut(described('truncate'), {}, { runtime }), {
    sources: { rows: { state: 'partial', calls: 3, omitted: 1e15 - 3 } },
  })
  t.ok(made <= 6, `${made} calls`)
})
