import { createHook } from 'node:async_hooks'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, skip } from '../../src/fanout/aggregate.ts'
import { begin, fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { problemOf } from '../helpers/problem-of.ts'
import { watched } from '../helpers/watched.ts'

const base = aggregate('steps', { url: '/steps', deadline: 10_000 })
const Any = z.unknown()
const failing = answeringRuntime(() => { throw new UpstreamError('UPSTREAM_STATUS', 'oracle', { upstreamStatus: 500 }) })

test('the failure of an optional step is its fallback, a value like any other', async t => {
  const described = base
    .optional('a', { list: ['fallback'] }, () => oracle.ask({ id: 'a' }))
    .required('b', ({ a }) => a, { needs: ['a'] })
    .reply(Any, ({ a, b }) => ({ a, b }))
  const { data, complete, sources } = await fanOut(described, {}, { runtime: failing })
  t.strictSame(data, { a: { list: ['fallback'] }, b: { list: ['fallback'] } })
  t.equal(complete, false)
  t.match(sources, { a: { state: 'fallback', code: 'UPSTREAM_STATUS' }, b: { state: 'ok' } })
})

test('an optional step falls back for an upstream error of its own function too', async t => {
  const error = new UpstreamError('UPSTREAM_JSON', 'elsewhere')
  const described = base
    .optional('sync', 1, (): number => { throw error })
    .optional('later', 2, () => Promise.reject<number>(error))
    .optional('input', 3, () => oracle.ask({ id: '' }))
    .reply(Any, ({ sync, later, input }) => [sync, later, input])
  const { data, sources } = await fanOut(described, {}, { runtime: failing })
  t.strictSame(data, [1, 2, 3])
  t.match(sources, { sync: { state: 'fallback', code: 'UPSTREAM_JSON' }, later: { state: 'fallback' }, input: { state: 'fallback', code: 'CALL_INPUT_INVALID' } })
})

test('a fallback is frozen all the way down, since every run is given the same one', async t => {
  const fallback = { data: [{ deep: [1] }] }
  const given: unknown[] = []
  const described = base.optional('a', fallback, () => oracle.ask({ id: 'a' })).reply(z.null(), ({ a }) => {
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
  const described = base.optional('a', fallback, () => oracle.ask({ id: 'a' })).reply(Any, ({ a }) => {
    (a as { data: string[] }).data.push('of one caller')
    return a
  })
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), { code: 'INTERNAL', cause: TypeError })
})

test('a skipped step brings its fallback and leaves the reply complete', async t => {
  const described = base
    .optional('a', 'fallback', (): unknown => skip)
    .optional('b', 'fallback', async (): Promise<unknown> => skip)
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
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), { code: 'INTERNAL', statusCode: 500, cause: { message: "step 'a' is required and cannot skip: make it optional" } })
})

test('several calls where one is meant are a bug', async t => {
  const described = base.optional('a', null, () => [1, oracle.ask({ id: 1 })] as unknown).reply(Any, () => 1)
  t.match(await problemOf(fanOut(described, {}, { runtime: failing })), { code: 'INTERNAL', cause: { message: "step 'a' returned several calls: use each or firstOf" } })
})

test('a step may return plain values, now or later, and lists of them', async t => {
  const described = base
    .required('now', () => ['plain', 1])
    .required('later', async () => ({ at: 'last' }))
    .optional('nothing', 'fallback', () => undefined as unknown)
    .required('call', async () => oracle.ask({ id: 'x' }))
    .reply(Any, ({ now, later, nothing, call }) => ({ now, later, nothing: nothing ?? 'nothing', call }))
  const { data, complete } = await fanOut(described, {}, { runtime: answeringRuntime(path => path) })
  t.strictSame(data, { now: ['plain', 1], later: { at: 'last' }, nothing: 'nothing', call: '/x' })
  t.equal(complete, true)
})

/** A chain of as many sync steps, each on the value before it. */
function chain (length: number) {
  let builder = base.required('s0', () => 0) as unknown as { required (name: string, step: (seen: Record<string, number>) => number, options: object): typeof builder, reply (schema: z.ZodType, merge: (seen: Record<string, number>) => unknown): ReturnType<ReturnType<typeof base.required>['reply']> }
  for (let index = 1; index < length; index++) builder = builder.required(`s${index}`, seen => (seen[`s${index - 1}`] as number) + 1, { needs: [`s${index - 1}`] })
  return builder.reply(Any, seen => seen[`s${length - 1}`])
}

test('sync steps, their dependents and the merge run in the turn that starts the run', async t => {
  const { events, reply } = watched(chain(5), { runtime: failing })
  t.strictSame(events.map(({ type }) => type), [...Array.from({ length: 5 }, () => ['step started', 'step ended']).flat(), 'run ended'])
  t.match(await reply, { data: 4, complete: true })
})

test('a sync run costs one promise, however many steps it has', t => {
  const promisesOf = (length: number) => {
    const run = begin(chain(length), {}, { runtime: failing })
    let count = 0
    const hook = createHook({ init: (_id, type) => { if (type === 'PROMISE') count++ } }).enable()
    const reply = run.start()
    hook.disable()
    reply.catch(() => {})
    return count
  }
  t.equal(promisesOf(1), 1)
  t.equal(promisesOf(12), 1)
  t.end()
})
