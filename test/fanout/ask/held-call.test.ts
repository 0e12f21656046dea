import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import { findCall } from '../../../src/fanout/held-call.ts'
import { heldRuntime } from '../../helpers/held-runtime.ts'
import { oracle } from '../../helpers/oracle.ts'
import { problemOf } from '../../helpers/problem-of.ts'

const call = oracle.ask({ id: 'a' })
const base = aggregate('holding', { url: '/holding' })
const runtime = heldRuntime()

test('a call in a value is found with its path', t => {
  t.equal(findCall(call), 'oracle.ask')
  t.equal(findCall({ items: [1, { order: call }] }), 'oracle.ask at /items/1/order')
  t.equal(findCall(Object.assign(Object.create(null), { a: call })), 'oracle.ask at /a')
  t.equal(findCall({ items: [call] }, 1), undefined, 'below the depth')
  for (const value of [undefined, null, 1, 'call', {}, [], new Map([[1, call]]), Buffer.alloc(5), { a: [null, 'b'] }])
    t.equal(findCall(value), undefined)
  t.end()
})

test('the search for a call is limited in depth and in values', t => {
  let deep: unknown = call
  for (let level = 0; level < 20; level++) deep = [deep]
  t.equal(findCall(deep), undefined)
  const cycle: unknown[] = []
  cycle.push(cycle, cycle, cycle, cycle)
  t.equal(findCall(cycle), undefined)
  const wide = Array.from({ length: 5000 }, () => ({}))
  t.equal(findCall([...wide, call]), undefined)
  t.equal(findCall([...wide.slice(0, 900), call]), 'oracle.ask at /900')
  t.end()
})

test('a merge that returns a call where its schema wants an answer says what to do', async t => {
  const wanted = z.object({ items: z.array(z.object({ title: z.string() })) })
  const described = base.reply(wanted, (): never => ({ items: [call] }) as never)
  const problem = await problemOf(fanOut(described, {}, { runtime }))
  t.match(problem, {
    code: 'REPLY_INVALID',
    statusCode: 500,
    cause: {
      name: 'TypeError',
      message: "aggregate 'holding': merge returned the call oracle.ask at /items/0: use await ask(call) in a step",
      cause: { name: 'ZodError' },
    },
  })
  t.notMatch(JSON.stringify(problem), /oracle/, 'the caller does not see it')
  const other = await problemOf(
    fanOut(
      base.reply(wanted, (): never => ({ items: [1] }) as never),
      {},
      { runtime },
    ),
  )
  t.match(other.cause, { name: 'ZodError' })
})

test('a call is not written as JSON', t => {
  t.throws(() => JSON.stringify({ order: call }), {
    name: 'TypeError',
    message: 'oracle.ask: a call is not its answer: use await ask(call)',
  })
  t.end()
})

test('a step or a context() whose value has a call says what to do', async t => {
  const value = (): unknown => ({ order: call })
  const bug = async (described: Parameters<typeof fanOut>[0]) =>
    ((await problemOf(fanOut(described, {}, { runtime }))).cause as Error).message
  const message = 'returned an object with the call oracle.ask at /order: use await ask(call)'
  t.equal(await bug(base.required('a', value).reply(z.unknown(), () => 1)), `step 'a' ${message}`)
  t.equal(
    await bug(base.optional('a', async () => value(), { fallback: null }).reply(z.unknown(), () => 1)),
    `step 'a' ${message}`,
  )
  t.equal(await bug(base.context(value).reply(z.unknown(), () => 1)), `context() ${message}`)
})

test('a step that returns several calls says what to do', async t => {
  const several = (): unknown => [call, call]
  const problem = await problemOf(
    fanOut(
      base.required('a', several).reply(z.unknown(), () => 1),
      {},
      { runtime },
    ),
  )
  t.match(problem.cause, { message: "step 'a' returned several calls: use each or firstOf" })
})

test('a reply that has a call where its schema takes anything is an internal error', async t => {
  const app = buildApp([base.reply(z.unknown(), () => ({ order: call }))])
  t.teardown(() => app.close())
  const { statusCode, body } = await app.inject('/holding')
  t.equal(statusCode, 500)
  t.match(JSON.parse(body), { code: 'INTERNAL' })
  t.notMatch(body, /oracle/)
})
