import { test } from 'tap'
import type { Breed } from '../../src/schemas/breed.ts'
import { hostileUpstream } from '../helpers/hostile-upstream.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'

interface Reply {
  readonly data: Breed
  readonly complete: boolean
  readonly sources: Readonly<Record<string, { readonly state: string; readonly calls?: number }>>
}

test('a breed comes with pictures, a summary and facts', async t => {
  const { get } = await serveApp(t)
  const { status, body } = await get<Reply>('/v1/breeds/abyssinian')
  t.equal(status, 200)
  t.equal(body.complete, true)
  t.same(Object.keys(body.sources), ['matches', 'found', 'pictures', 'summary', 'facts'])
  for (const [name, { state }] of Object.entries(body.sources)) t.equal(state, 'ok', name)
  t.match(body.data, {
    id: 'abys',
    name: 'Abyssinian',
    origin: String,
    summary: { text: /\w/, url: /^https:/ },
    alsoCalled: [],
  })
  t.ok(body.data.temperament.length > 1 && body.data.temperament.every(word => word.trim() === word && word !== ''))
  t.equal(body.data.facts.length, 3)
  t.match(body.data.pictures, [{ breed: 'abys', url: /^https:/ }])
})

test('a part of a name gives all that it fits, the exact one first', async t => {
  const { get } = await serveApp(t)
  const { data, sources } = (await get<Reply>('/v1/breeds/a')).body
  t.ok(data.alsoCalled.length > 4)
  t.equal(sources['pictures']?.calls, 5, 'with pictures of five at most')
  t.same(
    data.pictures.map(({ breed }) => breed),
    [data.id, ...data.alsoCalled.map(({ id }) => id)].slice(0, 5),
    'each with its breed, in that order',
  )
  const last = data.alsoCalled.at(-1)
  t.equal((await get<Reply>(`/v1/breeds/${encodeURIComponent(last?.name.toUpperCase() ?? '')}`)).body.data.id, last?.id)
  t.equal((await get<Reply>(`/v1/breeds/${last?.id}`)).body.data.id, last?.id)
})

test('a name that no breed has is 404, and nothing more is asked', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody>('/v1/breeds/dachshund')
  isProblem(t, got, 404, 'REFUSED')
  t.match(got.body.sources, {
    matches: { state: 'ok' },
    found: { state: 'failed' },
    pictures: { state: 'cancelled' },
    summary: { state: 'cancelled' },
  })
})

test('without facts none are asked for, and the reply is whole', async t => {
  const ninja = await rawUpstream(t, () => {})
  const { get } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  const { body } = await get<Reply>('/v1/breeds/abyssinian?facts=0')
  t.match(body, { complete: true, data: { facts: [] }, sources: { facts: { state: 'skipped' } } })
  t.equal(ninja.requests.length, 0)
})

test('a failure of an optional source does not fail the breed', async t => {
  const down = (await hostileUpstream(t, 'catfact-ninja', 'down')).origin
  const { get } = await serveApp(t, { overrides: { wikipedia: { origin: down }, 'catfact-ninja': { origin: down } } })
  const { status, body } = await get<Reply>('/v1/breeds/abyssinian')
  t.equal(status, 200)
  t.match(body, {
    complete: false,
    data: { id: 'abys', summary: null, facts: [] },
    sources: { summary: { state: 'fallback' }, facts: { state: 'fallback' }, pictures: { state: 'ok' } },
  })
})

test('an article whose address is encoded is asked for by its title', async t => {
  const cat = { id: 'sibe', name: 'Siberian', wikipedia_url: 'https://en.wikipedia.org/wiki/Chat_sib%C3%A9rien' }
  const catApi = await rawUpstream(t, (socket, { path }) =>
    socket.write(json(path.startsWith('/v1/breeds') ? [cat] : [])),
  )
  const encyclopedia = await rawUpstream(t, json({ message: 'none' }, 404))
  const { get } = await serveApp(t, {
    overrides: { 'the-cat-api': { origin: catApi.origin }, wikipedia: { origin: encyclopedia.origin } },
  })
  const { body } = await get<Reply>('/v1/breeds/siberian')
  t.match(body, {
    complete: true,
    data: { id: 'sibe', origin: null, description: null, temperament: [], summary: null, pictures: [] },
  })
  t.same(
    encyclopedia.requests.map(({ path }) => path),
    ['/api/rest_v1/page/summary/Chat_sib%C3%A9rien'],
  )
})

test('a breed whose name is too long or blank is refused', async t => {
  const { get } = await serveApp(t)
  for (const name of ['x'.repeat(61), '%20']) {
    const got = await get<ProblemBody>(`/v1/breeds/${name}?facts=21`)
    isProblem(t, got, 400, 'INPUT_INVALID')
    t.same(
      got.body.errors?.map(({ pointer }) => pointer),
      ['/params/breed', '/query/facts'],
    )
  }
})
