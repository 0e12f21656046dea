import { test } from 'tap'
import { articles } from '../../src/demo-upstreams/data/articles.ts'
import { breeds } from '../../src/demo-upstreams/data/breeds.ts'
import { facts } from '../../src/demo-upstreams/data/facts.ts'

test('there are at least 110 facts, no two alike, of varied length', async t => {
  t.ok(facts.length >= 110)
  t.equal(new Set(facts.map(fact => fact.toLowerCase())).size, facts.length)
  t.same(
    facts.filter(({ length }) => length < 20 || length > 200),
    [],
  )
  t.ok(facts.filter(({ length }) => length <= 50).length >= 10)
  t.ok(facts.some(({ length }) => length > 100))
})

test('there are at least 20 breeds, each with its own id, name and article', async t => {
  t.ok(breeds.length >= 20)
  for (const key of ['id', 'name', 'article'] as const) {
    t.equal(new Set(breeds.map(breed => breed[key].toLowerCase())).size, breeds.length, key)
  }
  for (const breed of breeds) {
    t.match(breed.id, /^[a-z]{4}$/)
    t.match(breed.countryCode, /^[A-Z]{2}$/)
    for (const range of [breed.lifeSpan, breed.weight.imperial, breed.weight.metric]) t.match(range, /^\d+ - \d+$/)
  }
})

test('every article can be written into HTML as it is', async t => {
  t.same(
    articles.filter(({ title, extract }) => /[<>&"]/.test(title + extract)),
    [],
  )
})
