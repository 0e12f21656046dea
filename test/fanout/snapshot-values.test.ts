import { test } from 'tap'
import { times } from '../../src/fanout/aggregate.ts'
import { heldRuntime } from '../helpers/held-runtime.ts'
import { Any, ask, base, lost, taken } from '../helpers/snapshotted.ts'
import { streamed } from '../helpers/streamed.ts'
import { rest } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

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
