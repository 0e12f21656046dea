import { test } from 'tap'
import { facts as told } from '../../src/demo-upstreams/data/facts.ts'
import type { CatFacts } from '../../src/schemas/cat-fact.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp, type Got } from '../helpers/served-app.ts'

interface Source {
  readonly state: string
  readonly attempts: number
  readonly calls?: number
  readonly ok?: number
  readonly start?: number
  readonly ms: number
  readonly status?: number
}
interface Reply {
  readonly data: CatFacts
  readonly complete: boolean
  readonly sources: Readonly<Record<'ninja' | 'meow' | 'picture', Source>>
}

test('facts of two sources and a picture come as one whole reply', async t => {
  const { get } = await serveApp(t)
  const { status, headers, body } = await get<Reply>('/v1/cat-facts?count=5')
  t.equal(status, 200)
  t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal(headers.get('cache-control'), 'no-store')
  t.same(Object.keys(body), ['data', 'complete', 'sources'])
  t.equal(body.complete, true)

  t.same(Object.keys(body.sources), ['ninja', 'meow', 'picture'], 'sources stand in the order of declaration')
  t.match(body.sources, {
    ninja: { state: 'ok', calls: 5, ok: 5, failed: [], attempts: 5, start: Number, ms: Number },
    meow: { state: 'ok', attempts: 1, status: 200, start: Number, ms: Number },
    picture: { state: 'ok', attempts: 1, status: 200, start: Number, ms: Number },
  })

  const { facts, picture } = body.data
  const sources = facts.map(({ source }) => source)
  t.same([...sources].sort(), sources, 'those of catfact.ninja stand first')
  t.equal(sources.filter(source => source === 'catfact-ninja').length, 5)
  t.ok(sources.includes('meowfacts'))
  t.equal(new Set(facts.map(({ text }) => text.toLowerCase())).size, facts.length, 'no fact is there twice')
  for (const { text, length } of facts)
    t.ok(told.includes(text) && length === text.length, 'a fact is one that was told, with its length')
  t.match(picture, { url: /^https:/, width: Number, height: Number })
  t.same(Object.keys(picture ?? {}).sort(), ['height', 'url', 'width'], 'what the reply does not declare is left out')
})

test('without a count each source is asked for three', async t => {
  const { get } = await serveApp(t)
  const { status, body } = await get<Reply>('/v1/cat-facts')
  t.equal(status, 200)
  t.match(body.sources.ninja, { calls: 3, ok: 3 })
  t.equal(body.data.facts.filter(({ source }) => source === 'meowfacts').length, 3)
})

test('the least and the most that may be asked for are answered', async t => {
  const { get } = await serveApp(t)
  for (const count of [1, 50]) {
    const { status, body } = await get<Reply>(`/v1/cat-facts?count=${count}`)
    t.equal(status, 200)
    t.equal(body.complete, true)
    t.match(body.sources.ninja, { state: 'ok', calls: count, ok: count })
  }
})

test('no fact of either source is longer than asked for', async t => {
  const { get } = await serveApp(t)
  const {
    body: { data, complete },
  } = await get<Reply>('/v1/cat-facts?count=50&max_length=80')
  t.equal(complete, true)
  for (const source of ['catfact-ninja', 'meowfacts'])
    t.ok(
      data.facts.some(fact => fact.source === source),
      `${source} has short ones`,
    )
  t.same(
    data.facts.filter(({ text }) => text.length > 80),
    [],
  )
})

test('count and max_length reach each source under the names of its own query', async t => {
  const ninja = await rawUpstream(t, json({ fact: 'Cats purr.', length: 10 }))
  const meow = await rawUpstream(t, json({ data: [] }))
  const { get } = await serveApp(t, {
    overrides: { 'catfact-ninja': { origin: ninja.origin }, meowfacts: { origin: meow.origin } },
  })
  await get('/v1/cat-facts?count=2&max_length=90')
  t.same(
    ninja.requests.map(({ path }) => path),
    ['/fact?max_length=90', '/fact?max_length=90'],
  )
  t.same(
    meow.requests.map(({ path }) => path),
    ['/?count=2'],
  )
})

test('a fact that comes twice is kept once, at its first place, and the order stays', async t => {
  const said = ['Cats purr.', 'A cat has 30 teeth.', 'CATS PURR.', 'Cats sleep.', 'Cats purr.']
  const ninja = await rawUpstream(t, (socket, { index }) =>
    socket.write(json({ fact: said[index], length: said[index]?.length })),
  )
  const meow = await rawUpstream(
    t,
    json({ data: ['A tail balances.', ' a cat has 30 teeth. ', 'Whiskers feel.', 'A tail balances.'] }),
  )
  const { get } = await serveApp(t, {
    overrides: { 'catfact-ninja': { origin: ninja.origin, concurrency: 1 }, meowfacts: { origin: meow.origin } },
  })
  const { body } = await get<Reply>('/v1/cat-facts?count=5')
  t.equal(body.complete, true)
  t.same(
    body.data.facts.map(({ text, source }) => [text, source]),
    [
      ['Cats purr.', 'catfact-ninja'],
      ['A cat has 30 teeth.', 'catfact-ninja'],
      ['Cats sleep.', 'catfact-ninja'],
      ['A tail balances.', 'meowfacts'],
      ['Whiskers feel.', 'meowfacts'],
    ],
  )
})

test('facts stand in the order they were asked for, whatever the order they come in', async t => {
  const later: (() => void)[] = []
  const ninja = await rawUpstream(t, (socket, { index }) => {
    later.push(() => socket.write(json({ fact: `Fact ${index}`, length: 6 })))
    if (later.length === 4) for (const answer of later.reverse()) answer()
  })
  const { get } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  const { body } = await get<Reply>('/v1/cat-facts?count=4')
  t.same(
    body.data.facts.slice(0, 4).map(({ text }) => text),
    ['Fact 0', 'Fact 1', 'Fact 2', 'Fact 3'],
  )
})

test('an invalid count is refused, and the pointer names it', async t => {
  const { get } = await serveApp(t)
  for (const query of [
    'count=0',
    'count=51',
    'count=-1',
    'count=2.5',
    'count=abc',
    'count=',
    'count=%20',
    'count=2&count=3',
    'count=NaN',
  ]) {
    const got = await get<ProblemBody>(`/v1/cat-facts?${query}`)
    isProblem(t, got, 400, 'INPUT_INVALID')
    t.match(got.body.errors, [{ pointer: '/query/count', reason: /\w/ }], query)
    t.notOk(got.body.sources, 'nothing was asked')
  }
})

test('a query with broken percent-encoding is refused', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody>('/v1/cat-facts?count=%zz')
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.match(got.body.errors?.[0]?.pointer, /^\/query/)
})

test('one problem lists all faults of the query', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody>('/v1/cat-facts?count=0&max_length=5')
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.same(
    got.body.errors?.map(({ pointer }) => pointer),
    ['/query/count', '/query/max_length'],
  )
})

test('a query parameter that is not known is ignored', async t => {
  const { get } = await serveApp(t)
  const { status, body } = await get<Reply>('/v1/cat-facts?count=1&colour=red&__proto__=x')
  t.equal(status, 200)
  t.equal(body.sources.ninja.calls, 1)
})

test('HEAD runs as GET and has no body', async t => {
  const { get } = await serveApp(t)
  const { status, headers, text }: Got<undefined> = await get('/v1/cat-facts', { method: 'HEAD' })
  t.equal(status, 200)
  t.equal(text, '')
  t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
})
