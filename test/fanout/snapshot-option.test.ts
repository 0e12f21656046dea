import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'

const Order = z.object({ id: z.string(), rating: z.number().nullable() })
const orders = aggregate('orders', { url: '/orders' })
  .required('order', () => ({ id: 'a' }))
  .required('rating', () => 5)
const merge = ({ order, rating }: { readonly order: { readonly id: string }; readonly rating: number }) => ({
  id: order.id,
  rating,
})

test('an aggregate has the merge of its snapshots, none, or that of its reply', async t => {
  const own = orders.reply(Order, merge, {
    snapshot: ({ order, rating }, pending) => ({ id: order.id, rating: pending.includes('rating') ? null : rating }),
  })
  t.type(own.snapshot, 'function')
  t.equal(orders.reply(Order, merge, { snapshot: false }).snapshot, false)
  t.equal(orders.reply(Order, merge).snapshot, undefined)
})

test('a snapshot that is neither false nor a function is refused at declaration', async t => {
  for (const [snapshot, kind] of [
    [true, 'a boolean'],
    ['merge', 'a string'],
    [null, 'null'],
    [{}, 'an object'],
  ] as const)
    t.throws(() => orders.reply(Order, merge, { snapshot: snapshot as never }), {
      name: 'TypeError',
      message:
        "aggregate 'orders': snapshot of reply() must be false or a function such as (args, pending) => ({ … }), " +
        `got ${kind}`,
    })
})

test('an aggregate may be streamed and not called by batches, unless its options say otherwise', async t => {
  const plain = orders.reply(Order, merge).route
  t.same([plain.stream, plain.batch], [true, false])
  const other = aggregate('other', { url: '/other', stream: false, batch: true }).reply(z.null(), () => null).route
  t.same([other.stream, other.batch], [false, true])
})
