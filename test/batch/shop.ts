import { z } from 'zod'
import { offerOf, type BatchOffer } from '../../src/batch/offer.ts'
import { aggregate, refuse, type AnyAggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type Operation } from '../../src/upstream/declare.ts'
import { specOfOperation } from '../../src/upstream/declared-specs.ts'
import type { OperationSpec } from '../../src/upstream/spec/spec.ts'

const Item = z.object({ id: z.string(), price: z.number(), sizes: z.array(z.int()), note: z.string().nullable() })
const Line = z.strictObject({ sku: z.string(), count: z.int().min(1).max(9) })

/** A shop: the operations and the aggregates that the tests of batches call. `vat`, `stock` and `wishes` are not offered. */
export function shopAt(origin: string, options: { readonly concurrency?: number } = {}) {
  const shop = defineUpstream(
    'shop',
    { origin, retry: false, breaker: false, ...options },
    {
      search: operation({
        path: '/search',
        query: z.object({ q: z.string().min(1).max(20), limit: z.int().min(1).max(10).optional() }),
        output: z.array(Item),
        batch: true,
      }),
      item: operation({
        path: '/items/{id}',
        params: z.object({ id: z.string().min(1) }),
        query: z.object({ currency: z.enum(['EUR', 'USD']).optional() }),
        output: Item,
        batch: true,
      }),
      order: operation({
        method: 'POST',
        path: '/orders',
        body: z.strictObject({
          lines: z.array(Line).min(1),
          gift: z.boolean().optional(),
          note: z.string().optional(),
        }),
        output: z.object({ number: z.int() }),
        batch: true,
      }),
      quote: operation({
        path: '/quotes/{id}',
        params: z.object({ id: z.string() }),
        headers: z.object({ 'x-tenant': z.string().min(2) }),
        output: z.unknown(),
        batch: true,
      }),
      prices: operation({
        path: '/prices',
        query: z.object({ ids: z.array(z.string().min(1)) }),
        output: z.record(z.string(), z.number()),
        keyBatch: {
          maxKeys: 10,
          call: (ids: readonly string[]) => ({ ids }),
          pick: (answer: Readonly<Record<string, number>>, id: string) => answer[id],
        },
        batch: true,
      }),
      vat: operation({ path: '/vat', output: z.number() }),
    },
  )
  const cart = aggregate('cart', {
    url: '/cart/{user}',
    params: z.object({ user: z.string() }),
    query: z.object({ items: z.coerce.number().int().min(1).max(5).default(1), gift: z.stringbool().optional() }),
    batch: true,
  })
    .required('first', ({ params }) => shop.item({ id: params.user }))
    .optional('quote', ({ params }) => shop.quote({ id: params.user, headers: { 'x-tenant': 'cart' } }), {
      fallback: null,
    })
    .reply(z.object({ first: Item, quote: z.unknown(), items: z.number() }), ({ first, quote, query }) => ({
      first,
      quote,
      items: query.items,
    }))
  const checkout = aggregate('checkout', {
    url: '/checkout',
    method: 'POST',
    body: z.object({ total: z.number().max(1000) }),
    batch: true,
  })
    .required('total', ({ body }) => (body.total === 0 ? refuse(409, 'There is nothing to pay.') : body.total))
    .reply(z.object({ paid: z.number() }), ({ total }) => ({ paid: total }))
  const wishes = aggregate('wishes', { url: '/wishes' })
    .required('one', () => 1)
    .reply(z.number(), ({ one }) => one)

  const operations = [shop.search, shop.item, shop.order, shop.quote, shop.prices] as unknown as readonly Operation<
    never,
    unknown
  >[]
  const aggregates: readonly AnyAggregate[] = [cart, checkout, wishes]
  return { shop, operations, aggregates, offer: offerFor(operations, aggregates) }
}

export function offerFor(
  operations: readonly Operation<never, unknown>[],
  aggregates: readonly AnyAggregate[] = [],
): BatchOffer {
  return offerOf(
    operations.map(each => specOfOperation(each) as OperationSpec),
    aggregates,
  )
}

const item = (id: string) => ({ id, price: 5, sizes: [38, 40], note: null })

/** What the shop answers, by the path of a call. Undefined for 503, and for what it does not have. */
export function shopAnswer(path: string): unknown {
  const url = new URL(path, 'http://shop.test')
  const [, room = '', id = ''] = url.pathname.split('/')
  if (id === 'broken') return undefined
  if (room === 'search') return url.searchParams.get('q') === 'nothing' ? [] : [item('a'), item('b')]
  if (room === 'items') return item(id)
  if (room === 'orders') return { number: 7 }
  if (room === 'quotes') return { id, text: 'cheap' }
  return room === 'prices' ? Object.fromEntries(url.searchParams.getAll('ids').map(each => [each, 3])) : undefined
}
