import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const Order = z.object({ state: z.string() })
const params = z.object({ id: z.string() })

const orders = defineUpstream(
  'orders',
  { origin: 'http://orders.shop.svc' },
  {
    order: operation({ path: '/orders/{id}', params, output: Order }),
  },
)

export const order = aggregate('order', { url: '/v1/orders/{id}', params, deadline: 800 })
  .required('order', ({ params: { id } }) => orders.order({ id }))
  .reply(Order, ({ order: found }) => found)
