import { test, type Test } from 'tap'
import { z } from 'zod'
import { catfactNinja } from '../../src/clients/catfact-ninja.ts'
import { upstreams } from '../../src/clients/index.ts'
import { meowfacts } from '../../src/clients/meowfacts.ts'
import { theCatApi } from '../../src/clients/the-cat-api.ts'
import { wikipedia } from '../../src/clients/wikipedia.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import { specOf, type Call } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'

/** Asks the demo upstreams one call, by an aggregate of one step. */
async function asker(t: Test) {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  const runtime = createRuntime({
    overrides: Object.fromEntries(Object.entries(demoUpstreams.origins).map(([name, origin]) => [name, { origin }])),
  })
  t.teardown(async () => {
    await runtime.close()
    await demoUpstreams.close()
  })
  return async <T>(call: Call<T>): Promise<T> => {
    const one = aggregate('one', { url: '/one' })
      .required('it', () => call)
      .reply(z.any(), ({ it }) => it)
    const { data, complete, sources } = await fanOut(one, {}, { runtime })
    t.match({ complete, sources }, { complete: true, sources: { it: { state: 'ok', attempts: 1 } } })
    return data as T
  }
}

test('catfact.ninja gives a fact, facts by the page and breeds', async t => {
  const ask = await asker(t)
  const { fact, length } = await ask(catfactNinja.fact())
  t.equal(fact.length, length)
  t.ok((await ask(catfactNinja.fact({ max_length: 60 }))).length <= 60)

  const page = await ask(catfactNinja.facts({ limit: 4, max_length: 100 }))
  t.equal(page.data.length, 4)
  t.ok(page.data.every(each => each.length <= 100) && page.total >= 4)
  t.same(Object.keys(page).sort(), ['data', 'total'], 'page links are left out')

  const breeds = await ask(catfactNinja.breeds({ limit: 2 }))
  t.equal(breeds.data.length, 2)
  t.match(breeds.data[0], { breed: String, country: String, origin: String, coat: String, pattern: String })
})

test('meowfacts gives as many facts as it is asked for, or one', async t => {
  const ask = await asker(t)
  t.equal((await ask(meowfacts.facts({ count: 7 }))).data.length, 7)
  t.equal((await ask(meowfacts.facts())).data.length, 1)
})

test('TheCatAPI gives one picture, breeds by name and pictures of a breed', async t => {
  const ask = await asker(t)
  t.match(await ask(theCatApi.randomImage()), { id: String, url: /^https?:/, width: Number, height: Number })

  const [breed, ...others] = await ask(theCatApi.searchBreeds({ q: 'abys' }))
  t.same(others, [])
  t.match(breed, { id: 'abys', name: 'Abyssinian', temperament: String })
  t.notOk(Object.hasOwn(breed ?? {}, 'weight'), 'fields that no schema names are dropped')
  t.same(await ask(theCatApi.searchBreeds({ q: 'no such breed' })), [])

  t.equal((await ask(theCatApi.breedImages({ breed_ids: 'abys', limit: 3 }))).length, 3)
})

test('the encyclopedia gives a summary, and null for a title it does not have', async t => {
  const ask = await asker(t)
  t.match(await ask(wikipedia.summary({ title: 'Maine Coon' })), {
    title: 'Maine Coon',
    extract: /\w/,
    content_urls: { desktop: { page: /^https:/ } },
  })
  t.equal(await ask(wikipedia.summary({ title: 'No such article / at all' })), null)
})

test('every upstream is listed once, by a public origin', async t => {
  const specs = upstreams.map(specOf)
  t.same(
    specs.map(({ name }) => name),
    ['catfact-ninja', 'meowfacts', 'the-cat-api', 'wikipedia'],
  )
  for (const { origin } of specs) t.match(origin, /^https:\/\/[a-z.]+$/)
})
