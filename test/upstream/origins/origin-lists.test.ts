import { test, type Test } from 'tap'
import { createMemoryStore } from '../../../src/upstream/policies/cache/memory-store.ts'
import { createRuntime, type RuntimeOptions } from '../../../src/upstream/runtime.ts'
import { testRun } from '../../helpers/call.ts'
import { failure } from '../../helpers/failure.ts'
import { declareCats } from '../../helpers/origin-list.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'

/** Two servers of the service `first` and two of the service `second`, and runtimes with one cache store. */
async function arrange(t: Test) {
  const cacheStore = createMemoryStore({ maxBytes: 2 ** 20 })
  const serve = async (value: string) =>
    (await rawUpstream(t, json(value, 200, { 'cache-control': 'max-age=60' }))).origin
  return {
    first: [await serve('first'), await serve('first')] as const,
    second: [await serve('second'), await serve('second')] as const,
    start: (options: RuntimeOptions = {}) => {
      const runtime = createRuntime({ ...options, cacheStore })
      t.teardown(() => runtime.close())
      return (cats: ReturnType<typeof declareCats>) => runtime.send(testRun().ask(cats.kept({ id: '1' })))
    },
  }
}

test('two upstreams of a runtime with one name and different servers are refused', async t => {
  const { first, second, start } = await arrange(t)
  const send = start()
  t.match(await send(declareCats(first)), { value: 'first' })
  const refused = await failure(send(declareCats(second)))
  t.match(refused, {
    name: 'TypeError',
    message:
      "upstream 'cats': another upstream of this runtime has the same name and other origins, " +
      'and would share its stored answers: give each a name of its own',
  })
  const [one, other] = first
  t.match(await send(declareCats([{ origin: other, weight: 2 }, one])), { value: 'first' }, 'the servers are the same')
  t.match(await send(declareCats([second[0]])), { value: 'second' }, 'one URL names the upstream')
})

test('an override with other origins gets no stored answers of the declared ones', async t => {
  const { first, second, start } = await arrange(t)
  const cats = declareCats(first)
  t.match(await start()(cats), { value: 'first' })
  const staging = { overrides: { cats: { origins: second } } }
  t.match(await start(staging)(cats), { value: 'second' })
  t.match(await start()(cats), { value: 'first' })
})
