// The upstream and the aggregate in which the files beside this one make their mistakes.
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'

const Id = z.object({ id: z.string() })

export const Order = z.object({ id: z.string(), items: z.array(z.string()), note: z.string().nullable() })
export const Item = z.object({ title: z.string(), cents: z.number() })
export const Total = z.object({ titles: z.array(z.string()), cents: z.number() })

export const shop = defineUpstream(
  'shop',
  { origin: 'http://shop.test' },
  {
    order: operation({ path: '/orders/{id}', params: Id, output: Order }),
    item: operation({ path: '/items/{id}', params: Id, output: Item }),
  },
)

export const base = aggregate('total', { url: '/totals/{id}', params: Id }).required('order', ({ params }) =>
  shop.order({ id: params.id }),
)
