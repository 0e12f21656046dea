import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { problemOf } from '../helpers/problem-of.ts'

const Breed = z.object({ id: z.string(), name: z.string() })

function catsAt(origin: string) {
  return defineUpstream(
    'cats',
    { origin, forwardHeaders: ['accept-language'] },
    {
      breed: operation({ path: '/breeds/{id}', params: z.object({ id: z.string() }), output: Breed, nullOn: [404] }),
      picture: operation({
        path: '/pictures',
        query: z.object({ breed: z.string(), page: z.number() }),
        output: z.object({ url: z.string() }),
      }),
      fact: operation({ path: '/fact', output: z.object({ fact: z.string() }) }),
    },
  )
}

function aboutBreed(origin: string, deadline = 20_000) {
  const cats = catsAt(origin)
  return aggregate('breed', {
    url: '/breeds/{id}',
    params: z.object({ id: z.string() }),
    query: z.object({ pictures: z.coerce.number().default(2) }),
    deadline,
  })
    .required('breed', ({ params }) => cats.breed({ id: params.id }))
    .optional('fact', () => cats.fact(), { fallback: { fact: 'none' } })
    .each(
      'pictures',
      ({ breed, query }) =>
        Array.from({ length: query.pictures }, (_, page) => cats.picture({ breed: breed?.name ?? '', page })),
      { needs: ['breed'] },
    )
    .reply(
      z.object({ name: z.string(), fact: z.string(), pictures: z.array(z.string()) }),
      ({ breed, fact, pictures }) => ({
        name: breed?.name ?? 'nobody',
        fact: fact.fact,
        pictures: pictures.map(({ url }) => url),
      }),
    )
}

test('many answers over the wire become one, whatever comes first', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const reply = fanOut(
    aboutBreed(upstream.origin),
    { params: { id: 'abys' }, headers: { 'accept-language': 'en', authorization: 'secret' } },
    { runtime },
  )

  const [breed, fact] = await Promise.all([upstream.arrived('GET /breeds/abys'), upstream.arrived('GET /fact')])
  t.equal(breed.request.headers['accept-language'], 'en', 'what the upstream forwards')
  t.equal(breed.request.headers.authorization, undefined, 'and nothing else')
  t.strictSame([...upstream.log].sort(), ['GET /breeds/abys', 'GET /fact'], 'pictures need the breed')
  breed.json({ id: 'abys', name: 'Abyssinian', more: 'than asked' })
  const [first, second] = await Promise.all([
    upstream.arrived('GET /pictures?breed=Abyssinian&page=0'),
    upstream.arrived('GET /pictures?breed=Abyssinian&page=1'),
  ])
  second.json({ url: 'two' })
  await second.closed
  first.json({ url: 'one' })
  await first.closed
  fact.json({ fact: 'They purr.' })

  const { data, complete, sources } = await reply
  t.strictSame(data, { name: 'Abyssinian', fact: 'They purr.', pictures: ['one', 'two'] })
  t.equal(complete, true)
  t.match(sources, {
    breed: { state: 'ok', status: 200, attempts: 1 },
    fact: { state: 'ok' },
    pictures: { state: 'ok', calls: 2, ok: 2, attempts: 2 },
  })
})

test('an upstream that hangs costs its step and nothing more', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) => {
    if (request.url === '/breeds/abys') json({ id: 'abys', name: 'A' })
    else if (request.url !== '/fact') json({ url: 'x' })
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { data, complete, sources } = await fanOut(
    aboutBreed(upstream.origin, 300),
    { params: { id: 'abys' }, query: { pictures: '1' } },
    { runtime },
  )
  t.strictSame(data, { name: 'A', fact: 'none', pictures: ['x'] })
  t.equal(complete, false)
  t.match(sources, { fact: { state: 'fallback', code: 'DEADLINE_EXCEEDED' }, pictures: { state: 'ok' } })
  const hung = await upstream.arrived('GET /fact')
  await hung.closed
  t.ok(hung.hungUp, 'its connection is closed')
  t.match(runtime.stats(), { cats: { active: 0, queued: 0 } })
})

test('an absent answer is null, and ok', async t => {
  const upstream = await httpUpstream(t, ({ request, json }) =>
    request.url === '/breeds/none' ? json({ error: 'none' }, 404) : json({ fact: 'f', url: 'u' }),
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { data, complete, sources } = await fanOut(
    aboutBreed(upstream.origin),
    { params: { id: 'none' }, query: { pictures: '0' } },
    { runtime },
  )
  t.match(data, { name: 'nobody' })
  t.equal(complete, true)
  t.match(sources.breed, { state: 'ok', status: 404 })
})

test('a run with input that cannot be read calls no upstream', async t => {
  const runtime = answeringRuntime(() => 1)
  const problem = await problemOf(fanOut(aboutBreed('http://cats.test'), { query: { pictures: '' } }, { runtime }))
  t.match(problem, { code: 'INPUT_INVALID', statusCode: 400, sources: undefined })
  t.strictSame(
    problem.faults?.map(({ pointer }) => pointer),
    ['/params/id', '/query/pictures'],
  )
  t.strictSame(runtime.asked, [])
})

test('a closed runtime refuses, and a run whose runtime closes ends', async t => {
  const upstream = await httpUpstream(t)
  const runtime = createRuntime()
  const described = aboutBreed(upstream.origin)
  const reply = fanOut(described, { params: { id: 'abys' } }, { runtime })
  reply.catch(() => {})
  await upstream.arrived('GET /breeds/abys')
  await runtime.close()
  t.match(await problemOf(reply), { code: 'RUNTIME_CLOSED', statusCode: 503 })
  t.match(await problemOf(fanOut(described, { params: { id: 'abys' } }, { runtime })), {
    code: 'RUNTIME_CLOSED',
    statusCode: 503,
  })
})

test('fanOut and buildApp refuse a declaration that has not ended with reply()', async t => {
  const declared = aggregate('unended', { url: '/unended' }).required('one', () => 1) as unknown
  await t.rejects(fanOut(declared as AnyAggregate, {}, { runtime: heldRuntime() }), {
    name: 'TypeError',
    message: 'fanOut: the first argument is not an aggregate: end its declaration with .reply(schema, merge)',
  })
  t.throws(() => buildApp([declared as AnyAggregate]), {
    name: 'TypeError',
    message: 'app: aggregates[0] is not an aggregate: end its declaration with .reply(schema, merge)',
  })
})
