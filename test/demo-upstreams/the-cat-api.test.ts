import { test } from 'tap'
import { breeds } from '../../src/demo-upstreams/data/breeds.ts'
import { startOne } from './helpers/start-one.ts'

interface Breed {
  id: string
}
interface Picture {
  id: string
  url: string
  width: number
  height: number
  breeds?: Breed[]
}

test('TheCatAPI gives a random picture', async t => {
  const { get } = await startOne(t, 'the-cat-api')
  const ids = new Set()
  for (let number = 0; number < 20; number += 1) {
    const {
      body: [picture, ...others],
    } = await get<Picture[]>('/v1/images/search')
    t.same(others, [])
    t.same(Object.keys(picture ?? {}), ['id', 'url', 'width', 'height'])
    t.equal(picture?.url, `https://cdn2.thecatapi.com/images/${picture?.id}.jpg`)
    t.ok(Number.isInteger(picture?.width) && Number.isInteger(picture?.height))
    ids.add(picture?.id)
  }
  t.equal(ids.size, 20)
})

test('TheCatAPI gives pictures of the breeds and kinds asked for, ten at most', async t => {
  const { get } = await startOne(t, 'the-cat-api')
  const { body } = await get<Picture[]>('/v1/images/search?limit=99&breed_ids=abys,beng&mime_types=gif')
  t.equal(body.length, 10)
  t.equal(new Set(body.map(({ id }) => id)).size, 10)
  for (const { url, breeds } of body) {
    t.match(url, /\.gif$/)
    t.match(breeds, [{ id: /^(abys|beng)$/ }])
  }
  t.match((await get('/v1/images/search?has_breeds=1')).body, [{ breeds: [{ id: String }] }])
  t.same((await get('/v1/images/search?breed_ids=none')).body, [])
})

test('TheCatAPI finds breeds by a part of the name in any case, or by id', async t => {
  const { get } = await startOne(t, 'the-cat-api')
  const { body } = await get('/v1/breeds/search?q=ABY')
  t.match(body, [
    {
      id: 'abys',
      name: 'Abyssinian',
      weight: { imperial: '7 - 10', metric: '3 - 5' },
      temperament: String,
      origin: 'Egypt',
      country_code: 'EG',
      country_codes: 'EG',
      description: String,
      life_span: '14 - 15',
      reference_image_id: String,
      wikipedia_url: 'https://en.wikipedia.org/wiki/Abyssinian_cat',
    },
  ])
  t.match((await get('/v1/breeds/search?q=mcoo')).body, [{ name: 'Maine Coon' }])
  t.match((await get('/v1/breeds/search?q=rex')).body, [{ id: 'crex' }, { id: 'drex' }])
  t.same((await get('/v1/breeds/search?q=poodle')).body, [])
  t.same((await get('/v1/breeds/search')).body, [])
})

test('TheCatAPI gives all breeds, and one by its id', async t => {
  const { get } = await startOne(t, 'the-cat-api')
  const { body } = await get<Breed[]>('/v1/breeds')
  t.equal(body.length, breeds.length)
  t.same(
    (await get('/v1/breeds/beng')).body,
    body.find(({ id }) => id === 'beng'),
  )
  t.equal((await get('/v1/breeds/none')).status, 404)
})
