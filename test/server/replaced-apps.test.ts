import { test, type Test } from 'tap'
import { z } from 'zod'
import { openCatalogue, type Catalogue } from '../../src/definitions/catalogue.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { createServiceApp } from '../../src/server/process/service-app.ts'
import { defineUpstream, operation, specOf } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'

/** A catalogue of one aggregate, its app, and a function that builds the app after it. */
async function arrange(t: Test) {
  const raw = await rawUpstream(t, json({ name: 'Tom' }))
  const cats = defineUpstream('cats', { origin: raw.origin }, { cat: operation({ path: '/cat', output: z.unknown() }) })
  const pets = aggregate('pets', { url: '/pets' })
    .required('cat', () => cats.cat())
    .reply(z.unknown(), ({ cat }) => cat)
  const builtIn = await openCatalogue({ paths: [], live: true, environment: {} })
  t.teardown(() => builtIn.close())
  const catalogue = { ...builtIn, specs: [specOf(cats)], aggregates: [pets] }
  const first = await createServiceApp(catalogue, { logger: false })
  t.teardown(() => first.close())
  t.equal((await first.inject('/pets')).statusCode, 200)
  return {
    raw,
    first,
    replace: (changed: Partial<Catalogue> = {}) =>
      createServiceApp({ ...catalogue, ...changed }, { logger: false }, undefined, undefined, first),
    catalogue,
  }
}

test('an app that replaces another one uses the connections of unchanged upstreams', async t => {
  const { raw, first, replace } = await arrange(t)
  const second = await replace()
  await first.close()
  t.equal((await second.inject('/pets')).statusCode, 200)
  t.equal(raw.connections, 1)
  await second.close()
  await raw.deserted()
})

test('an app that cannot be built or made ready keeps no connection of the app before', async t => {
  const { raw, first, replace, catalogue } = await arrange(t)
  const explain = aggregate('explain', { url: '/explain' }).reply(z.unknown(), () => 'the URL of the operator')
  const config = { ...catalogue.config, env: 'development' as const }
  await t.rejects(replace({ aggregates: [explain], config }), { name: 'DefinitionsError' })
  await t.rejects(replace({ aggregates: [undefined as never] }), TypeError)
  t.equal((await first.inject('/pets')).statusCode, 200)
  t.equal(raw.connections, 1)
  await first.close()
  await raw.deserted()
})
