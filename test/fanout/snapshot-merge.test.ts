import { test } from 'tap'
import { z } from 'zod'
import { aggregate, refuse } from '../../src/fanout/aggregate.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { Any, ask, base, lost, taken, three } from '../helpers/snapshotted.ts'
import { streamed } from '../helpers/streamed.ts'
import { elapsed, until } from '../helpers/until.ts'

test('a merge that changes its arguments does not change the reply', async t => {
  const runtime = heldRuntime()
  const described = base
    .required('list', () => ask('list'))
    .optional('late', () => ask('late'), { fallback: null })
    .reply(Any, ({ list, late, query }) => {
      const given = list as { names: string[] }
      given.names.push(`${given.names.length}`)
      return { ...given, late, query }
    })
  const stream = streamed(described, { runtime })
  runtime.at('/list').answer({ names: ['a'] })
  await until(() => stream.events.some(({ event }) => event === 'dropped'))
  t.match(stream.events.at(-1), { event: 'dropped', error: { name: 'TypeError' }, pending: ['late'] })
  runtime.at('/late').answer('came')
  t.same((await stream.reply).data, { names: ['a', '1'], late: 'came', query: {} })
})

test('the merge of a snapshot sends no call with the ask of context()', async t => {
  const runtime = heldRuntime()
  const described = base
    .context(({ ask: send }) => ({ name: () => send(ask('name')) }))
    .required('order', () => ask('order'))
    .optional('late', () => ask('late'), { fallback: null })
    .reply(Any, async ({ context, order, late }) => ({ order, late, name: await context.name() }))
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer('came')
  await until(() => stream.events.some(({ event }) => event === 'dropped'))
  t.match(stream.events.at(-1), { event: 'dropped', error: { message: /in the merge of a snapshot/ } })
  runtime.at('/late').answer('too')
  const name = await runtime.arrived('/name')
  name.answer('Ada')
  t.same((await stream.reply).data, { order: 'came', late: 'too', name: 'Ada' })
  t.equal(runtime.calls.length, 3)
})

test('the merge of a snapshot gets the input, the context and frozen values, and cannot ask', async t => {
  const runtime = heldRuntime()
  let seen: Readonly<Record<string, unknown>> | undefined
  const described = aggregate('ordered', {
    url: '/orders/{id}',
    params: z.object({ id: z.string() }),
    query: z.object({ limit: z.coerce.number() }),
    method: 'POST',
    body: z.object({ names: z.array(z.string()) }),
  })
    .context(() => ({ user: { name: 'Ada' } }))
    .required('order', () => ask('order'))
    .optional('late', () => ask('late'), { fallback: null })
    .reply(Any, args => {
      seen ??= { ...args, signal: args.signal }
      return 1
    })
  const stream = streamed(
    described,
    { runtime },
    { params: { id: '7' }, query: { limit: '2' }, body: { names: ['a'] } },
  )
  runtime.at('/order').answer({ lines: [1] })
  await taken(stream, 1)
  t.match(seen, {
    params: { id: '7' },
    query: { limit: 2 },
    body: { names: ['a'] },
    headers: {},
    context: { user: { name: 'Ada' } },
    order: { lines: [1] },
    late: null,
    signal: AbortSignal,
  })
  t.notOk('ask' in (seen ?? {}))
  for (const name of ['params', 'query', 'body', 'headers', 'context', 'order'])
    t.ok(Object.isFrozen(seen?.[name]), name)
  stream.run.cancel(lost)
  t.match(seen, { signal: { aborted: true } })
})

test('a snapshot that does not fit the schema is dropped, and the next one is taken', async t => {
  const runtime = heldRuntime()
  const described = three.reply(z.object({ rating: z.number(), stock: z.number() }), ({ rating, stock }) => ({
    rating: rating as number,
    stock: stock as number,
  }))
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await until(() => stream.events.some(({ event }) => event === 'dropped'))
  t.match(stream.events.at(-1), { error: { name: 'ZodError' }, pending: ['rating', 'stock'] })
  runtime.at('/rating').answer(5)
  await taken(stream, 1)
  t.same(stream.data, [{ rating: 5, stock: 0 }])
  stream.run.cancel(lost)
})

test('a snapshot whose merge throws, refuses or rejects is dropped, and so is one that cannot be written', async t => {
  for (const [merge, error] of [
    [() => refuse(404, 'no such order'), { code: 'REFUSED' }],
    [
      () => {
        throw new RangeError('none')
      },
      { message: 'none' },
    ],
    [() => Promise.reject(new RangeError('none')), { message: 'none' }],
    [() => Promise.resolve(() => {}), { name: 'ZodError' }],
    [() => 1, { message: 'no JSON' }],
  ] as const) {
    const runtime = heldRuntime()
    const stream = streamed(three.reply(z.number(), merge as () => number), { runtime })
    stream.unwritable = new Error('no JSON')
    runtime.at('/order').answer(1)
    await until(() => stream.events.some(({ event }) => event === 'dropped'))
    t.match(stream.events.at(-1), { error, pending: ['rating', 'stock'] })
    stream.run.cancel(lost)
  }
})

test('a merge of its own gets the names of the steps that have not ended, and shows that a step has its fallback', async t => {
  const runtime = heldRuntime()
  const described = three.reply(Any, ({ rating }) => ({ rating }), {
    snapshot: ({ rating }, pending) => ({ rating, pending }),
  })
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  runtime.at('/rating').fail(lost)
  await taken(stream, 2)
  t.same(stream.data, [
    { rating: null, pending: ['rating', 'stock'] },
    { rating: null, pending: ['stock'] },
  ])
  runtime.at('/stock').answer(5)
  t.same((await stream.reply).data, { rating: null })
})

test('with the merge of the reply, no snapshot follows when a step has ended with its fallback', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order, rating, stock }) => [order, rating, stock]),
    { runtime },
  )
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  runtime.at('/rating').fail(lost)
  await elapsed(60)
  t.equal(stream.data.length, 1)
  stream.run.cancel(lost)
})
