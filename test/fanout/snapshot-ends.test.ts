import { test } from 'tap'
import { z } from 'zod'
import { times } from '../../src/fanout/aggregate.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { Any, lost, taken, three } from '../helpers/snapshotted.ts'
import { streamed } from '../helpers/streamed.ts'
import { rest } from '../helpers/turn.ts'
import { elapsed, until } from '../helpers/until.ts'

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
  await until(() => stream.run.isExpired, { everyTurn: true })
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
