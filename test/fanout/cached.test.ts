import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { json, rawUpstream, type RawRequest } from '../helpers/raw-upstream.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { watched } from '../helpers/watched.ts'

const Any = z.unknown()

/** What an upstream answers the first time; after that it fails, or hangs where the path says so. */
const heads: Readonly<Record<string, Record<string, string>>> = {
  fresh: { 'cache-control': 'max-age=60', age: '10' },
  old: { 'cache-control': 'max-age=60, stale-while-revalidate=60', age: '70' },
  sure: { 'cache-control': 'max-age=60, stale-if-error=600', age: '90' },
  slow: { 'cache-control': 'max-age=60, stale-if-error=600', age: '90' },
  never: { 'cache-control': 'no-store' },
}

/** Serves each path once well, and knows the operations to ask it by. */
async function arrange(t: Test) {
  const seen = new Set<string>()
  const raw = await rawUpstream(t, (socket, { path }: RawRequest) => {
    const [, kind = ''] = path.split('/')
    const isFirst = !seen.has(path)
    seen.add(path)
    if (isFirst || kind === 'never') socket.write(json(path, 200, heads[kind] ?? {}))
    else if (kind !== 'slow') socket.write(json({}, 503))
  })
  const { ask, plain } = defineUpstream(
    'raw',
    { origin: raw.origin, retry: false, breaker: false },
    {
      ask: operation({
        path: '/{kind}/{id}',
        params: z.object({ kind: z.string(), id: z.string() }),
        output: Any,
        cache: true,
      }),
      plain: operation({ path: '/plain/{id}', params: z.object({ id: z.string() }), output: Any }),
    },
  )
  const kept = (path: string) => {
    const [kind = '', id = '1'] = path.split('/')
    return ask({ kind, id })
  }
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  return { runtime, plain, kept, base: aggregate('kept', { url: '/kept', deadline: 20_000 }) }
}

/** What of an outcome is of the cache, and its state; seconds in tens, since this machine may be slow. */
function part({ state, status, cache, age, ttl, code, attempts }: Outcome): object {
  const tens = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.floor(seconds / 10) * 10)
  return Object.fromEntries(
    Object.entries({ state, status, attempts, cache, age: tens(age), ttl: tens(ttl), code }).filter(
      ([, value]) => value !== undefined,
    ),
  )
}

test('an outcome tells how the cache answered, and only a failure that an old answer stands for makes a reply incomplete', async t => {
  const { runtime, kept, plain, base } = await arrange(t)
  const described = base
    .required('fresh', () => kept('fresh'))
    .required('old', () => kept('old'))
    .required('never', () => kept('never'))
    .required('plain', () => plain({ id: 'x' }))
    .required('none', () => 1)
    .reply(Any, ({ fresh }) => fresh)
  await fanOut(described, {}, { runtime }).catch(() => {})
  const second = base
    .required('fresh', () => kept('fresh'))
    .required('old', () => kept('old'))
    .required('never', () => kept('never'))
    .required('none', () => 1)
    .reply(Any, ({ fresh }) => fresh)
  const { complete, sources } = await fanOut(second, {}, { runtime })
  t.strictSame(Object.values(sources).map(part), [
    { state: 'ok', status: 200, attempts: 0, cache: 'hit', age: 10, ttl: 40 },
    { state: 'ok', status: 200, attempts: 0, cache: 'stale', age: 70, ttl: -20 },
    { state: 'ok', status: 200, attempts: 1, cache: 'miss' },
    { state: 'ok', attempts: 0 },
  ])
  t.equal(complete, true)
})

test('a step that an old answer stands for is stale, with why, and the reply is not complete', async t => {
  const { runtime, kept, base } = await arrange(t)
  const described = base
    .required('must', () => kept('sure/must'))
    .optional('may', () => kept('sure/may'), { fallback: 'fallback' })
    .reply(Any, ({ must, may }) => [must, may])
  t.equal((await fanOut(described, {}, { runtime })).complete, true)
  const { data, complete, sources } = await fanOut(described, {}, { runtime })
  t.same(data, ['/sure/must', '/sure/may'])
  t.equal(complete, false)
  const stale = { state: 'stale', status: 503, attempts: 1, cache: 'stale', age: 90, ttl: -40, code: 'UPSTREAM_BUSY' }
  t.strictSame(Object.values(sources).map(part), [stale, stale])
})

test('when the deadline comes, an old answer stands for what hangs, also of a required step', async t => {
  const { runtime, kept, base } = await arrange(t)
  const described = base
    .required('must', () => kept('slow'))
    .each('list', () => [kept('slow/a'), kept('fresh')])
    .reply(Any, ({ must, list }) => [must, list])
  await fanOut(described, {}, { runtime })
  const { data, complete, sources } = await fanOut(described, {}, { runtime, deadline: 50 })
  t.same(data, ['/slow/1', ['/slow/a', '/fresh/1']])
  t.equal(complete, false)
  t.match(Object.values(sources).map(part), [
    { state: 'stale', cache: 'stale', code: 'DEADLINE_EXCEEDED' },
    { state: 'stale', cache: 'stale', age: 90, ttl: -40 },
  ])
})

test('of several calls the outcome tells the least fresh, the oldest and the shortest', async t => {
  const { runtime, kept, plain, base } = await arrange(t)
  const list = (...ids: readonly string[]) =>
    base
      .each('list', () => ids.map(id => (id === 'plain' ? plain({ id }) : kept(id))), { minSuccess: 0, fallback: null })
      .reply(Any, () => 1)
  const told = async (...ids: readonly string[]) => part((await fanOut(list(...ids), {}, { runtime })).sources.list)
  t.strictSame(await told('fresh/a', 'fresh/b', 'old', 'sure', 'slow'), { state: 'ok', attempts: 5, cache: 'miss' })
  t.strictSame(await told('fresh/a', 'fresh/b'), { state: 'ok', attempts: 0, cache: 'hit', age: 10, ttl: 40 })
  t.strictSame(
    await told('fresh/a', 'plain'),
    { state: 'ok', attempts: 1, cache: 'hit', age: 10, ttl: 40 },
    'what is never kept says nothing',
  )
  t.strictSame(await told('old', 'fresh/a'), { state: 'ok', attempts: 0, cache: 'stale', age: 70, ttl: -20 })
  t.strictSame(await told('fresh/a', 'never'), { state: 'ok', attempts: 1, cache: 'miss', age: 10, ttl: 40 })
  t.strictSame(await told('sure', 'fresh/a'), { state: 'stale', attempts: 1, cache: 'stale', age: 90, ttl: -40 })
  t.strictSame(
    await told('sure', 'never', 'plain'),
    { state: 'partial', attempts: 3, cache: 'miss', age: 90, ttl: -40 },
    'one is lost',
  )
})

test('firstOf takes an old answer for a good one, and says that it did', async t => {
  const { runtime, kept, base } = await arrange(t)
  const described = base.firstOf('race', () => [kept('sure')]).reply(Any, ({ race }) => race)
  await fanOut(described, {}, { runtime })
  const { data, complete, sources } = await fanOut(described, {}, { runtime })
  t.same([data, complete, sources.race.state], ['/sure/1', false, 'stale'])
})

test('a step without a value says nothing of a cache', async t => {
  const { runtime, kept, plain, base } = await arrange(t)
  const described = base
    .each('list', () => [kept('fresh'), plain({ id: 'x' })])
    .required('one', () => kept('fresh'))
    .reply(Any, () => 1)
  await fanOut(described, {}, { runtime })
  const { sources } = await problemOf(fanOut(described, {}, { runtime }))
  t.notOk('cache' in (sources['list'] as object))
})

test('the event of a call says how the cache answered', async t => {
  const { runtime, kept, base } = await arrange(t)
  const described = base.required('sure', () => kept('sure')).reply(Any, () => 1)
  await watched(described, { runtime }).reply
  const { reply, events } = watched(described, { runtime })
  await reply
  t.match(
    events.find(({ type }) => type === 'call ended'),
    {
      attempts: 1,
      status: 503,
      code: undefined,
      error: undefined,
      cached: { cache: 'stale', age: Number, insteadOf: { code: 'UPSTREAM_BUSY' } },
    },
  )
})
