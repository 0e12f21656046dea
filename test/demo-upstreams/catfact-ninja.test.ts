import { test } from 'tap'
import { breeds } from '../../src/demo-upstreams/data/breeds.ts'
import { facts } from '../../src/demo-upstreams/data/facts.ts'
import { startOne } from './helpers/start-one.ts'

interface Fact {
  fact: string
  length: number
}
interface Page<Item> {
  data: Item[]
  last_page: number
  links: object[]
}

test('catfact.ninja gives one fact with its length, no longer than asked for', async t => {
  const { get } = await startOne(t, 'catfact-ninja')
  for (const path of ['/fact', '/fact?max_length=60', '/fact?max_length=30', '/fact?max_length=none']) {
    const { status, body } = await get<Fact>(path)
    t.equal(status, 200)
    t.same(Object.keys(body), ['fact', 'length'])
    t.equal(body.length, body.fact.length)
    t.ok(facts.includes(body.fact))
    t.ok(body.length <= (Number(path.split('=')[1]) || 200))
  }
  t.match(await get('/fact?max_length=5'), { status: 404, body: { message: 'Not Found', code: 404 } })
})

test('catfact.ninja gives a new fact on each of 50 calls, short ones too as far as they go', async t => {
  const { get } = await startOne(t, 'catfact-ninja')
  const found = new Set()
  for (let number = 0; number < 50; number += 1) found.add((await get<Fact>('/fact')).body.fact)
  t.equal(found.size, 50)
  const short = new Set()
  for (let number = 0; number < 10; number += 1) short.add((await get<Fact>('/fact?max_length=50')).body.fact)
  t.equal(short.size, 10)
})

test('catfact.ninja gives pages of facts', async t => {
  const { get, origin } = await startOne(t, 'catfact-ninja')
  const { body: first } = await get<Page<Fact>>('/facts')
  t.match(first, {
    current_page: 1,
    from: 1,
    to: 10,
    per_page: 10,
    total: facts.length,
    path: `${origin}/facts`,
    last_page: Math.ceil(facts.length / 10),
    first_page_url: `${origin}/facts?page=1`,
    next_page_url: `${origin}/facts?page=2`,
    prev_page_url: null,
  })
  t.equal(first.data.length, 10)
  t.same(Object.keys(first.data[0] ?? {}), ['fact', 'length'])
  t.equal(first.links.length, first.last_page + 2)
  t.same(first.links[1], { url: `${origin}/facts?page=1`, label: '1', active: true })

  const { body: last } = await get(`/facts?page=${first.last_page}`)
  t.match(last, { next_page_url: null, to: facts.length })
  const { body: beyond } = await get('/facts?page=999')
  t.match(beyond, { data: [], from: null, to: null, next_page_url: null })

  const { body: short } = await get<Page<Fact>>('/facts?max_length=40&limit=3')
  t.equal(short.data.length, 3)
  t.ok(short.data.every(({ length }) => length <= 40))
})

test('catfact.ninja gives pages of breeds', async t => {
  const { get } = await startOne(t, 'catfact-ninja')
  const { body } = await get<Page<object>>('/breeds?limit=2&page=2')
  t.match(body, { current_page: 2, from: 3, to: 4, per_page: 2, total: breeds.length })
  t.same(Object.keys(body.data[0] ?? {}), ['breed', 'country', 'origin', 'coat', 'pattern'])
})
