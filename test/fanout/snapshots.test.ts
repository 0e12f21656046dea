import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import { aggregate, refuse, times } from '../../src/fanout/aggregate.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { oracle } from '../helpers/oracle.ts'
import { streamed, type Streamed } from '../helpers/streamed.ts'
import { rest } from '../helpers/turn.ts'
import { elapsed, until } from '../helpers/until.ts'

const base = aggregate('orders', { url: '/orders', deadline: 10_000 })
const Any = z.unknown()
const ask = (id: string | number) => oracle.ask({ id })
const lost = new UpstreamError('UPSTREAM_RESET', 'oracle')

/** Resolves when a run has had this number of snapshots. */
const taken = (stream: Streamed, count: number) => until(() => stream.data.length >= count, { withinMs: 5000 })

/** Three steps: one is required, the others have fallbacks. */
const three = base
  .required('order', () => ask('order'))
  .optional('rating', () => ask('rating'), { fallback: null })
  .optional('stock', () => ask('stock'), { fallback: 0 })

test('a snapshot waits for every required step, and an optional step that has not ended has its fallback', async t => {
  const runtime = heldRuntime()
  const described = base
    .required('a', () => ask('a'))
    .required('b', () => ask('b'))
    .optional('c', () => ask('c'), { fallback: null })
    .reply(Any, ({ a, b, c }) => ({ a, b, c }))
  const stream = streamed(described, { runtime })
  runtime.at('/a').answer(1)
  await rest()
  t.same(stream.data, [])
  runtime.at('/b').answer(2)
  await taken(stream, 1)
  runtime.at('/c').answer(3)
  t.same((await stream.reply).data, { a: 1, b: 2, c: 3 })
  t.match(
    stream.events.map(event => ({ ...event, at: undefined, outcome: undefined })),
    [
      { event: 'plan' },
      { event: 'source', name: 'a' },
      { event: 'source', name: 'b' },
      { event: 'snapshot', data: { a: 1, b: 2, c: null }, pending: ['c'] },
      { event: 'source', name: 'c' },
      { event: 'reply', data: { a: 1, b: 2, c: 3 } },
    ],
  )
  t.equal(stream.events.length, 6)
})

test('a run without a required step has no snapshot before a value has arrived', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    base
      .optional('a', () => ask('a'), { fallback: 'none' })
      .optional('b', () => ask('b'), { fallback: 'none' })
      .optional('c', () => ask('c'), { fallback: 'none' })
      .reply(Any, ({ a, b, c }) => [a, b, c]),
    { runtime },
  )
  runtime.at('/a').fail(lost)
  await rest()
  t.same(stream.data, [])
  runtime.at('/b').answer('came')
  await taken(stream, 1)
  t.same(stream.data, [['none', 'came', 'none']])
  stream.run.cancel(lost)
})

test('an each shows its items as they arrive, from minSuccess items on', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    base.each('items', () => times(4, ask), { minSuccess: 2, fallback: 'none' }).reply(Any, ({ items }) => items),
    { runtime },
  )
  runtime.at('/3').answer('three')
  runtime.at('/0').fail(lost)
  await rest()
  t.same(stream.data, [])
  runtime.at('/2').answer('two')
  await taken(stream, 1)
  t.same(stream.data, [['none', 'none', 'two', 'three']])
  runtime.at('/1').answer('one')
  t.same((await stream.reply).data, ['none', 'one', 'two', 'three'])
})

test('an each without minSuccess has no snapshot before it has ended, and neither has a firstOf', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    base
      .each('items', () => times(2, ask))
      .firstOf('first', () => [ask('x'), ask('y')])
      .optional('late', () => ask('late'), { fallback: null })
      .reply(Any, ({ items, first }) => [items, first]),
    { runtime },
  )
  runtime.at('/0').answer('zero')
  runtime.at('/1').answer('one')
  runtime.at('/x').fail(lost)
  await rest()
  t.same(stream.data, [])
  runtime.at('/y').answer('y')
  await taken(stream, 1)
  t.same(stream.data, [[['zero', 'one'], 'y']])
  stream.run.cancel(lost)
})

test('a list whose calls are not known yet is empty with minSuccess 0', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    base
      .required('ids', () => ask('ids'))
      .optional('more', () => ask('more'), { fallback: null })
      .each('items', () => [ask('item')], { minSuccess: 0, fallback: null, needs: ['more'] })
      .pages('pages', () => ask('page'), { next: () => undefined, onLoss: 'keep', needs: ['more'] })
      .reply(Any, args => ({ ids: args.ids, items: args.items, pages: args.pages })),
    { runtime },
  )
  runtime.at('/ids').answer(['item'])
  await taken(stream, 1)
  t.same(stream.data, [{ ids: ['item'], items: [], pages: [] }])
  stream.run.cancel(lost)
})

test('the list that an asking step has returned shows its items as they arrive', async t => {
  const runtime = heldRuntime()
  const described = (minSuccess: number) =>
    base
      .each(
        'items',
        async ({ ask: asks }) => {
          await asks(ask('index'))
          return times(2, ask)
        },
        { minSuccess, fallback: null },
      )
      .required('done', () => 'done')
      .reply(Any, ({ items }) => items)
  const [all, most] = [streamed(described(0), { runtime }), streamed(described(1), { runtime })]
  await taken(all, 1)
  t.same(all.data, [[]])
  t.same(most.data, [])
  for (const { path, answer } of runtime.calls) if (path === '/index') answer()
  await until(() => runtime.calls.length === 6)
  for (const { path, answer } of runtime.calls) if (path === '/1') answer('one')
  await Promise.all([taken(all, 2), taken(most, 1)])
  t.same(all.data[1], [null, 'one'])
  t.same(most.data, [[null, 'one']])
  all.run.cancel(lost)
  most.run.cancel(lost)
})

test('pages show the pages so far only if a lost page does not fail them', async t => {
  const runtime = heldRuntime()
  const described = (onLoss: 'keep' | 'fail') =>
    base
      .pages('pages', () => ask(0), { next: (_, index) => (index < 2 ? ask(index + 1) : undefined), onLoss })
      .required('done', () => 'done')
      .reply(Any, ({ pages }) => pages)
  const [keep, fail] = [streamed(described('keep'), { runtime }), streamed(described('fail'), { runtime })]
  await taken(keep, 1)
  for (const { answer } of runtime.calls) answer('zero')
  await taken(keep, 2)
  for (const { answer } of runtime.calls.slice(2)) answer('one')
  await taken(keep, 3)
  t.same(keep.data, [[], ['zero'], ['zero', 'one']])
  t.same(fail.data, [])
  t.same(
    fail.events.filter(({ event }) => event === 'page'),
    [],
  )
  for (const { answer } of runtime.calls.slice(4)) answer('two')
  t.same((await keep.reply).data, ['zero', 'one', 'two'])
  t.equal(keep.events.filter(({ event }) => event === 'page').length, 3)
  t.same((await fail.reply).data, ['zero', 'one', 'two'])
})

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

const busy = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** The times between the snapshots of a run, in ms. */
function gaps({ events }: Streamed): number[] {
  const times = events.flatMap(event => (event.event === 'snapshot' ? [event.at] : []))
  return times.slice(1).map((time, index) => time - (times[index] as number))
}

test('snapshots are at least 50 ms apart, even if a value arrives late in a long turn', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order, rating, stock }) => [order, rating, stock]),
    { runtime },
  )
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  // The timer of the next snapshot counts from the start of this turn.
  busy(30)
  runtime.at('/rating').answer(2)
  await taken(stream, 2)
  t.ok((gaps(stream)[0] as number) >= 50, `${gaps(stream)[0]} ms`)
  stream.run.cancel(lost)
})

test('the next snapshot waits for ten times the time that the last one took', async t => {
  const runtime = heldRuntime()
  const described = three.reply(Any, ({ order, rating }) => {
    busy(12)
    return [order, rating]
  })
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await taken(stream, 1)
  runtime.at('/rating').answer(2)
  await taken(stream, 2)
  t.ok((gaps(stream)[0] as number) >= 120, `${gaps(stream)[0]} ms`)
  stream.run.cancel(lost)
})

test('a reader that is behind gets one snapshot with all values when it has caught up', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order, rating, stock }) => [order, rating, stock]),
    { runtime },
  )
  stream.acceptsSnapshots = false
  stream.snapshots.resume()
  runtime.at('/order').answer(1)
  await rest()
  runtime.at('/rating').answer(2)
  await rest()
  t.same(stream.data, [])
  stream.acceptsSnapshots = true
  stream.snapshots.resume()
  await taken(stream, 1)
  t.same(stream.data, [[1, 2, 0]])
  stream.run.cancel(lost)
})

test('one async merge runs at a time, and a value that arrives meanwhile leads to another snapshot', async t => {
  const runtime = heldRuntime()
  const merges: { readonly values: unknown[]; readonly resolve: (data: unknown) => void }[] = []
  const described = three.reply(Any, () => 'reply', {
    snapshot: ({ order, rating, stock }) =>
      new Promise(resolve => merges.push({ values: [order, rating, stock], resolve })),
  })
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await until(() => merges.length === 1)
  runtime.at('/rating').answer(2)
  await rest()
  t.equal(merges.length, 1)
  merges[0]?.resolve('first')
  await until(() => merges.length === 2)
  t.same(merges.at(-1)?.values, [1, 2, 0])
  t.same(stream.data, ['first'])
  // The second merge comes too late: the reply is being built.
  runtime.at('/stock').answer(3)
  t.equal((await stream.reply).data, 'reply')
  merges[1]?.resolve('second')
  await rest()
  t.same(stream.data, ['first'])
  t.equal(stream.events.at(-1)?.event, 'reply')
})

test('no snapshot is taken while the reply is merged', async t => {
  const runtime = heldRuntime()
  const { promise, resolve } = Promise.withResolvers<string>()
  const stream = streamed(
    three.reply(Any, () => promise),
    { runtime },
  )
  for (const path of ['/order', '/rating', '/stock']) runtime.at(path).answer(1)
  await rest()
  t.match(stream.events.at(-1), { event: 'source', name: 'stock' })
  resolve('reply')
  t.equal((await stream.reply).data, 'reply')
  t.same(stream.data, [])
})

test('an async merge that rejects after the end of the run is not reported', async t => {
  const runtime = heldRuntime()
  let rejectMerge: ((error: Error) => void) | undefined
  const described = three.reply(Any, () => 'reply', {
    snapshot: () => new Promise((_, reject) => void (rejectMerge = reject)),
  })
  const stream = streamed(described, { runtime })
  runtime.at('/order').answer(1)
  await until(() => rejectMerge !== undefined)
  stream.run.cancel(lost)
  rejectMerge?.(lost)
  await rest()
  t.equal(stream.events.at(-1)?.event, 'problem')
})

test('a schema whose function cancels the run sends no snapshot', async t => {
  const runtime = heldRuntime()
  const cancel = { now: () => {} }
  const Cancelling = z.unknown().transform(value => {
    cancel.now()
    return value
  })
  const stream = streamed(
    three.reply(Cancelling, () => 1),
    { runtime },
  )
  cancel.now = () => stream.run.cancel(lost)
  runtime.at('/order').answer(1)
  await until(() => stream.events.at(-1)?.event === 'problem')
  await rest()
  t.same(stream.data, [])
})

test('a run has no snapshots after its deadline, while optional steps are shed, with snapshot: false, and with 204', async t => {
  const merge = ({ order }: { readonly order: unknown }) => order
  for (const [described, options] of [
    [three.reply(Any, merge, { snapshot: false }), {}],
    [three.reply(z.null(), () => null, { status: 204 }), {}],
    [three.reply(Any, merge), { shedOptional: true }],
  ] as const) {
    const runtime = heldRuntime()
    const stream = streamed(described, { runtime, ...options })
    runtime.at('/order').answer(1)
    await rest()
    t.same(stream.data, [])
    stream.run.cancel(lost)
  }
  const runtime = heldRuntime({ deaf: path => path === '/stock' })
  const stream = streamed(three.reply(Any, merge), { runtime, deadline: 30 })
  stream.acceptsSnapshots = false
  runtime.at('/order').answer(1)
  await until(() => stream.run.isExpired)
  stream.acceptsSnapshots = true
  stream.snapshots.changed()
  await stream.reply
  t.same(stream.data, [])
})

test('no snapshot is taken after the end of its stream, even if one was due', async t => {
  for (const count of [1, 2]) {
    const runtime = heldRuntime()
    const stream = streamed(
      three.reply(Any, ({ order }) => order),
      { runtime },
    )
    runtime.at('/order').answer(1)
    // The first snapshot is due at the end of the turn, and the second one after 50 ms.
    if (count === 2) {
      await taken(stream, 1)
      runtime.at('/rating').answer(2)
    }
    await Promise.resolve()
    stream.snapshots.end()
    stream.snapshots.changed()
    stream.snapshots.resume()
    await elapsed(60)
    t.equal(stream.data.length, count - 1)
    stream.run.cancel(lost)
  }
})

test('a run with more than 100,000 values drops its first snapshot, and tries no other one', async t => {
  const runtime = heldRuntime()
  const stream = streamed(
    three.reply(Any, ({ order }) => order),
    { runtime },
  )
  runtime.at('/order').answer(times(100_001, index => index))
  await until(() => stream.events.some(({ event }) => event === 'dropped'))
  runtime.at('/rating').answer(1)
  await elapsed(60)
  t.equal(stream.events.filter(({ event }) => event === 'dropped').length, 1)
  t.match(
    stream.events.find(({ event }) => event === 'dropped'),
    { error: { name: 'RangeError', message: /more than 100000 values/ } },
  )
  stream.run.cancel(lost)
})
