import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse, skip, times } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { answeringRuntime } from '../helpers/answering-runtime.ts'
import { oracle } from '../helpers/oracle.ts'

const Any = z.unknown()

test('an aggregate is a value that says what it is', t => {
  const query = z.object({ count: z.coerce.number() })
  const schema = z.object({ a: z.unknown() })
  const merge = ({ a }: { readonly a: unknown }) => ({ a })
  const described = aggregate('cat-facts', {
    url: '/v1/cats',
    query,
    deadline: 800,
    summary: 'Cats',
    description: 'All of them',
  })
    .required('a', () => 1)
    .optional('b', () => 2, { fallback: { deep: [1] }, needs: ['a'], timeout: 50 })
    .each('c', () => [], {
      needs: ['a', 'b'],
      concurrency: 2,
      maxItems: 3,
      overflow: 'truncate',
      minSuccess: 1,
      fallback: null,
    })
    .firstOf('d', () => [], { count: 2, needs: ['b'] })
    .reply(schema, merge)
  t.match(described, { name: 'cat-facts', schema, merge, dependents: [[1, 2], [2, 3], [], []] })
  t.match(described.route, {
    url: '/v1/cats',
    method: 'GET',
    deadline: 800,
    params: undefined,
    query,
    body: undefined,
    headers: undefined,
    summary: 'Cats',
    description: 'All of them',
  })
  t.strictSame(
    described.steps.map(({ handler: _ask, ...step }) => step),
    [
      {
        name: 'a',
        index: 0,
        kind: 'required',
        needs: [],
        timeout: undefined,
        fallback: undefined,
        concurrency: Infinity,
        maxItems: 100,
        overflow: 'error',
        minSuccess: undefined,
        isFrozen: false,
        count: 1,
        next: undefined,
      },
      {
        name: 'b',
        index: 1,
        kind: 'optional',
        needs: [0],
        timeout: 50,
        fallback: { deep: [1] },
        concurrency: Infinity,
        maxItems: 100,
        overflow: 'error',
        minSuccess: undefined,
        isFrozen: true,
        count: 1,
        next: undefined,
      },
      {
        name: 'c',
        index: 2,
        kind: 'each',
        needs: [0, 1],
        timeout: undefined,
        fallback: null,
        concurrency: 2,
        maxItems: 3,
        overflow: 'truncate',
        minSuccess: 1,
        isFrozen: true,
        count: 1,
        next: undefined,
      },
      {
        name: 'd',
        index: 3,
        kind: 'firstOf',
        needs: [1],
        timeout: undefined,
        fallback: undefined,
        concurrency: Infinity,
        maxItems: 100,
        overflow: 'error',
        minSuccess: undefined,
        isFrozen: false,
        count: 2,
        next: undefined,
      },
    ],
  )
  t.ok(
    [
      described,
      described.route,
      described.steps,
      ...described.steps,
      described.steps[1]?.needs,
      described.steps[1]?.fallback,
    ].every(part => Object.isFrozen(part)),
  )
  t.end()
})

test('an option that a route does not set has its default', t => {
  const bare = aggregate('bare', { url: '/bare' }).reply(Any, () => 1)
  t.match(bare.route, { method: 'GET', deadline: 2000, envelope: true, cacheControl: undefined, summary: undefined })
  t.equal(aggregate('posted', { url: '/x', body: Any }).reply(Any, () => 1).route.method, 'POST', 'with a body')
  t.equal(aggregate('put', { url: '/x', body: Any, method: 'PUT' }).reply(Any, () => 1).route.method, 'PUT')
  t.match(aggregate('open', { url: '/x', envelope: false, cacheControl: 'public' }).reply(Any, () => 1).route, {
    envelope: false,
    cacheControl: 'public',
  })
  t.equal(aggregate('deleted', { url: '/x', method: 'DELETE' }).reply(Any, () => 1).route.method, 'DELETE')
  t.end()
})

test('a builder is a value: aggregates made from one share no later step', async t => {
  const base = aggregate('base', { url: '/base' }).required('first', () => 1)
  const one = base.required('second', ({ first }) => first + 1, { needs: ['first'] })
  const two = base.required('second', ({ first }) => first + 10, { needs: ['first'] }).required('third', () => 3)
  const bare = base.reply(Any, ({ first }) => first)
  const runtime = answeringRuntime(() => 1)
  t.match(await fanOut(bare, {}, { runtime }), { data: 1, sources: { first: {} } })
  t.match(
    await fanOut(
      one.reply(Any, ({ second }) => second),
      {},
      { runtime },
    ),
    { data: 2 },
  )
  t.match(
    await fanOut(
      two.reply(Any, ({ second, third }) => [second, third]),
      {},
      { runtime },
    ),
    { data: [11, 3] },
  )
  t.strictSame(
    [bare, one.reply(Any, () => 1), two.reply(Any, () => 1)].map(({ steps }) => steps.length),
    [1, 2, 3],
  )
  t.strictSame(bare.dependents, [[]])
})

test('declaring and building ask nothing', t => {
  let asked = 0
  const step = () => {
    asked++
    return oracle.ask({ id: 1 })
  }
  aggregate('inert', { url: '/inert' }).required('a', step).optional('b', step, { fallback: null }).reply(Any, step)
  t.equal(asked, 0)
  t.end()
})

test('an aggregate without steps is its merge', async t => {
  const described = aggregate('echo', { url: '/echo/{word}', params: z.object({ word: z.string() }) }).reply(
    Any,
    ({ params }) => params.word,
  )
  t.strictSame(await fanOut(described, { params: { word: 'hi' } }, { runtime: answeringRuntime(() => 1) }), {
    data: 'hi',
    complete: true,
    sources: {},
  })
})

test('steps and merge see the input, and steps only the values they name', async t => {
  const seen: Record<string, readonly string[]> = {}
  const keys = (name: string, given: object) => {
    seen[name] = Object.keys(given).sort()
  }
  const described = aggregate('seeing', { url: '/seeing', body: z.object({ a: z.number() }) })
    .required('one', given => {
      keys('one', given)
      return given.body.a
    })
    .required('two', given => {
      keys('two', given)
      return 2
    })
    .required(
      'three',
      given => {
        keys('three', given)
        return given.one + given.body.a
      },
      { needs: ['one'] },
    )
    .required(
      'four',
      given => {
        keys('four', given)
        return 4
      },
      { needs: ['two', 'three'], timeout: 5000 },
    )
    .reply(Any, given => {
      keys('merge', given)
      return given.three
    })
  t.equal((await fanOut(described, { body: { a: 2 } }, { runtime: answeringRuntime(() => 1) })).data, 4)
  const input = ['body', 'headers', 'params', 'query']
  t.strictSame(seen, {
    one: input,
    two: input,
    three: [...input, 'one'].sort(),
    four: [...input, 'two', 'three'].sort(),
    merge: [...input, 'one', 'two', 'three', 'four'].sort(),
  })
})

test('times makes a call for each number from 0', t => {
  t.strictSame(
    times(3, index => index * 2),
    [0, 2, 4],
  )
  t.strictSame(
    times(0, index => index),
    [],
  )
  t.ok(Object.isFrozen(skip))
  t.throws(() => refuse(404, 'none'), { code: 'REFUSED', statusCode: 404 })
  t.end()
})
