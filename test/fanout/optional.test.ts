import { createHook } from 'node:async_hooks'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip, times } from '../../src/fanout/aggregate.ts'
import { startRun, fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { CustomLayer } from '../../src/upstream/spec/layer-types.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('steps', { url: '/steps', deadline: 10_000 })
const Any = z.unknown()
const failing = answeringRuntime(() => {
  throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
})

test('the failure of an optional step is its fallback, a value like any other', async t => {
  const described = base
    .optional('a', () => oracle.ask({ id: 'a' }), { fallback: { list: ['fallback'] } })
    .required('b', ({ a }) => a, { needs: ['a'] })
    .reply(Any, ({ a, b }) => ({ a, b }))
  const { data, complete, sources } = await fanOut(described, {}, { runtime: failing })
  t.strictSame(data, { a: { list: ['fallback'] }, b: { list: ['fallback'] } })
  t.equal(complete, false)
  t.match(sources, { a: { state: 'fallback', code: 'UPSTREAM_STATUS' }, b: { state: 'ok' } })
})

test('an optional step that asks a second source has its fallback when both sources fail', async t => {
  const described = base
    .optional('a', ({ ask }) => ask(oracle.ask({ id: 'first' })).catch(() => ask(oracle.ask({ id: 'second' }))), {
      fallback: null,
    })
    .reply(Any, ({ a }) => a)
  const runtime = answeringRuntime(path => {
    if (path === '/first') throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 })
    return 'the second'
  })
  t.equal((await fanOut(described, {}, { runtime })).data, 'the second')
  t.strictSame(runtime.asked, ['/first', '/second'])
  const { data, sources } = await fanOut(described, {}, { runtime: failing })
  t.equal(data, null)
  t.match(sources, { a: { state: 'fallback', code: 'UPSTREAM_STATUS' } })
})

test('an optional step falls back for an upstream error of its own function too', async t => {
  const error = new UpstreamError('UPSTREAM_JSON', 'elsewhere')
  const described = base
    .optional(
      'sync',
      (): number => {
        throw error
      },
      { fallback: 1 },
    )
    .optional('later', () => Promise.reject<number>(error), { fallback: 2 })
    .optional('input', () => oracle.ask({ id: '' }), { fallback: 3 })
    .reply(Any, ({ sync, later, input }) => [sync, later, input])
  const { data, sources } = await fanOut(described, {}, { runtime: failing })
  t.strictSame(data, [1, 2, 3])
  t.match(sources, {
    sync: { state: 'fallback', code: 'UPSTREAM_JSON' },
    later: { state: 'fallback' },
    input: { state: 'fallback', code: 'CALL_INPUT_INVALID' },
  })
})

test('a fallback is frozen all the way down, since every run is given the same one', async t => {
  const fallback = { data: [{ deep: [1] }] }
  const given: unknown[] = []
  const described = base
    .optional('a', () => oracle.ask({ id: 'a' }), { fallback })
    .reply(z.null(), ({ a }) => {
      given.push(a)
      return null
    })
  await fanOut(described, {}, { runtime: failing })
  await fanOut(described, {}, { runtime: failing })
  t.equal(given[0], given[1])
  t.ok([fallback, fallback.data, fallback.data[0], fallback.data[0]?.deep].every(part => Object.isFrozen(part)))
})

test('a fallback that its author froze outside is frozen inside too', async t => {
  const fallback = Object.freeze({ data: [] as string[] })
  const described = base
    .optional('a', () => oracle.ask({ id: 'a' }), { fallback })
    .reply(Any, ({ a }) => {
      ;(a as { data: string[] }).data.push('of one caller')
      return a
    })
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), { code: 'INTERNAL', cause: TypeError })
})

test('a skipped step brings its fallback and leaves the reply complete', async t => {
  const described = base
    .optional('a', (): unknown => skip, { fallback: 'fallback' })
    .optional('b', async (): Promise<unknown> => skip, { fallback: 'fallback' })
    .required('c', ({ a, b }) => `${String(a)} ${String(b)}`, { needs: ['a', 'b'] })
    .reply(Any, ({ c }) => c)
  const { data, complete, sources } = await fanOut(described, {}, { runtime: failing })
  t.equal(data, 'fallback fallback')
  t.equal(complete, true)
  t.match(sources, { a: { state: 'skipped' }, b: { state: 'skipped' }, c: { state: 'ok' } })
  t.notOk('code' in sources.a)
})

test('a required step that skips is a bug', async t => {
  const described = base.required('a', () => skip as unknown).reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), {
    code: 'INTERNAL',
    statusCode: 500,
    cause: { message: "step 'a' is required and cannot skip: make it optional" },
  })
})

test('several calls where one is meant are a bug', async t => {
  const described = base
    .optional('a', () => [1, oracle.ask({ id: 1 })] as unknown, { fallback: null })
    .reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), {
    code: 'INTERNAL',
    cause: { message: "step 'a' returned several calls: use each or firstOf" },
  })
})

test('a step may return plain values, now or later, and lists of them', async t => {
  const described = base
    .required('now', () => ['plain', 1])
    .required('later', async () => ({ at: 'last' }))
    .optional('nothing', () => undefined as unknown, { fallback: 'fallback' })
    .required('call', async () => oracle.ask({ id: 'x' }))
    .reply(Any, ({ now, later, nothing, call }) => ({ now, later, nothing: nothing ?? 'nothing', call }))
  const { data, complete } = await fanOut(described, {}, { runtime: answeringRuntime(path => path) })
  t.strictSame(data, { now: ['plain', 1], later: { at: 'last' }, nothing: 'nothing', call: '/x' })
  t.equal(complete, true)
})

/** A chain of as many sync steps, each on the value before it. */
function chain(length: number) {
  let builder = base.required('s0', () => 0) as unknown as {
    required(name: string, step: (seen: Record<string, number>) => number, options: object): typeof builder
    reply(
      schema: z.ZodType,
      merge: (seen: Record<string, number>) => unknown,
    ): ReturnType<ReturnType<typeof base.required>['reply']>
  }
  for (let index = 1; index < length; index++)
    builder = builder.required(`s${index}`, seen => (seen[`s${index - 1}`] as number) + 1, { needs: [`s${index - 1}`] })
  return builder.reply(Any, seen => seen[`s${length - 1}`])
}

test('sync steps, their dependents and the merge run in the turn that starts the run', async t => {
  const { events, reply } = watched(chain(5), { runtime: failing })
  t.strictSame(
    events.map(({ type }) => type),
    ['run started', ...Array.from({ length: 5 }, () => ['step started', 'step ended']).flat(), 'run ended'],
  )
  t.match(await reply, { data: 4, complete: true })
})

test('a sync run costs one promise, however many steps it has', t => {
  const promisesOf = (length: number) => {
    const run = startRun(chain(length), {}, { runtime: failing })
    let count = 0
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') count++
      },
    }).enable()
    const reply = run.start()
    hook.disable()
    reply.catch(() => {})
    return count
  }
  t.equal(promisesOf(1), 1)
  t.equal(promisesOf(12), 1)
  t.end()
})

/** Whether a value and everything in it is frozen. */
function isDeeplyFrozen(value: unknown): boolean {
  return (
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen))
  )
}

const { one, shared, kept, bytes } = defineUpstream(
  'lists',
  { origin: 'http://lists.test' },
  {
    one: operation({ path: '/one', output: z.unknown() }),
    shared: operation({ path: '/shared', output: z.unknown(), coalesce: true }),
    kept: operation({ path: '/kept', output: z.unknown(), cache: true }),
    bytes: operation({ path: '/bytes', output: z.instanceof(Buffer), responseType: 'bytes' }),
  },
)

test('the value of an optional step is frozen wherever it comes from', async t => {
  const runtime = answeringRuntime(() => ({ list: [{ deep: [1] }] }))
  const given: Record<string, unknown> = {}
  const described = base
    .optional('called', () => one(), { fallback: null })
    .optional('shared', () => shared(), { fallback: null })
    .optional('kept', () => kept(), { fallback: null })
    .optional('made', () => ({ list: [[1]] }), { fallback: null })
    .optional('later', async () => ({ list: [[1]] }), { fallback: null })
    .optional('skipped', () => skip, { fallback: { list: [[1]] } })
    .optional(
      'lost',
      (): object => {
        throw new UpstreamError('UPSTREAM_RESET', 'elsewhere')
      },
      { fallback: { list: [[1]] } },
    )
    .required('sees', ({ called }) => isDeeplyFrozen(called), { needs: ['called'] })
    .reply(Any, ({ sees, ...seen }) => {
      Object.assign(given, { ...seen, params: null, query: null, headers: null })
      return sees
    })
  t.equal((await fanOut(described, {}, { runtime })).data, true, 'a step that needs it sees it frozen')
  for (const [name, value] of Object.entries(given)) t.ok(isDeeplyFrozen(value), name)
})

test('a change of an optional value fails the same way whether the upstream answers or not', async t => {
  for (const runtime of [failing, answeringRuntime(() => ['a'])]) {
    const described = base
      .optional('recs', () => one(), { fallback: [] })
      .reply(Any, ({ recs }) => (recs as string[]).push('mine'))
    t.match(await problemOf(fanOut(described, {}, { runtime })), { code: 'INTERNAL', cause: TypeError })
  }
})

test("the list of an each with a fallback is frozen in every case, and that of another is the author's own", async t => {
  for (const runtime of [failing, answeringRuntime(() => ({ deep: [1] }))]) {
    const lists: unknown[] = []
    const described = base
      .each('all', () => times(2, () => one()), { minSuccess: 0, fallback: { deep: [0] } })
      .each('none', () => skip, { minSuccess: 0, fallback: null })
      .reply(Any, ({ all, none }) => {
        lists.push(all, none)
        return null
      })
    await fanOut(described, {}, { runtime })
    t.ok(lists.every(isDeeplyFrozen))
    t.match(lists, [[{}, {}], []])
  }
  const shed: unknown[] = []
  const described = base
    .each('all', () => [one()], { minSuccess: 0, fallback: null })
    .reply(Any, ({ all }) => shed.push(all))
  await fanOut(described, {}, { runtime: failing, shedOptional: true })
  t.ok(shed.every(isDeeplyFrozen))

  const own = base
    .each('all', () => [one()])
    .required('one', () => one())
    .reply(Any, ({ all, one: only }) => {
      ;(all[0] as { deep: number[] }).deep.push(2)
      ;(only as { deep: number[] }).deep.push(3)
      return all.push(only)
    })
  t.equal((await fanOut(own, {}, { runtime: answeringRuntime(() => ({ deep: [1] })) })).data, 2)
})

test('bytes of an optional step go through, since they cannot be frozen', async t => {
  const described = base.optional('bytes', () => bytes(), { fallback: null }).reply(Any, seen => seen.bytes?.toString())
  t.equal((await fanOut(described, {}, { runtime: answeringRuntime(() => Buffer.from('ab')) })).data, 'ab')
})

test("an own layer's value in place of a frozen one is frozen too, and one that cannot be frozen is a bug", async t => {
  const raw = await rawUpstream(t, (socket, { path }) => socket.write(json({ list: [path] })))
  const instead =
    (value: unknown): CustomLayer =>
    next =>
    call =>
      next(call).then(answer => ({ ...answer, value: value as typeof answer.value }))
  const asked = (value: unknown) => {
    const upstream = defineUpstream(
      'raw',
      { origin: raw.origin, layers: { call: [instead(value)] } },
      { get: operation({ path: '/', output: z.unknown(), coalesce: true }) },
    )
    return base.optional('got', () => upstream.get(), { fallback: null }).reply(Any, ({ got }) => isDeeplyFrozen(got))
  }
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  t.equal((await fanOut(asked({ mine: [1] }), {}, { runtime })).data, true)
  const stubborn = () => new Proxy({}, { preventExtensions: () => false })
  t.match(await problemOf(fanOut(asked(stubborn()), {}, { runtime })), { code: 'INTERNAL', cause: TypeError })
  const made = base.optional('made', async () => stubborn(), { fallback: null }).reply(Any, () => null)
  t.match(await problemOf(fanOut(made, {}, { runtime })), { code: 'INTERNAL', cause: TypeError })
})

test('over the wire, a reply takes frozen values, and so do calls and hooks behind them', async t => {
  const raw = await rawUpstream(t, (socket, { path }) => socket.write(json({ tags: [path], sub: { list: [1] } })))
  const Shape = z.object({ tags: z.array(z.string()), sub: z.object({ list: z.array(z.number()) }) })
  const upstream = defineUpstream(
    'raw',
    { origin: raw.origin },
    {
      get: operation({ path: '/get', query: z.object({ tags: z.array(z.string()) }), output: Shape }),
      shared: operation({ path: '/shared', output: Shape, coalesce: true }),
      kept: operation({ path: '/kept', output: Shape, cache: { ttl: 60_000 } }),
    },
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const given: unknown[] = []
  const described = base
    .required('shared', () => upstream.shared())
    .required('kept', () => upstream.kept())
    .optional('got', ({ shared: { tags } }) => upstream.get({ tags }), { fallback: null, needs: ['shared'] })
    .reply(z.object({ all: z.array(Shape.nullable()) }), ({ shared: first, kept: second, got }) => {
      given.push(first, second, got)
      return { all: [first, second, got] }
    })
    .onReply(({ data }) => {
      data.all.pop()
      data.all[0]?.tags.push('of the hook')
    })
  for (let run = 0; run < 2; run++) {
    t.match(
      (await fanOut(described, {}, { runtime })).data,
      { all: [{ tags: ['/shared', 'of the hook'] }, { tags: ['/kept'] }] },
      'a hook changes a copy',
    )
  }
  t.ok(given.every(isDeeplyFrozen), 'the kept answer of the first run and of the second')
  t.match(given.at(-1), { tags: ['/get?tags=%2Fshared'] })
})
