import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const Id = z.object({ id: z.string() })
const Lines = z.array(z.object({ id: z.string(), quantity: z.int() }))
const Order = z.object({ id: z.string(), lines: Lines, cents: z.int() })

/** The shop's API. `demo/start.ts` sends its calls to an imitation. */
export const shop = defineUpstream(
  'shop',
  { origin: 'https://shop.example', attemptTimeout: 500 },
  {
    product: operation({
      path: '/products/{id}',
      params: Id,
      output: z.object({ id: z.string(), name: z.string(), text: z.string() }),
      nullOn: [404],
    }),
    recommendations: operation({
      path: '/products/{id}/recommendations',
      params: Id,
      output: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
    stock: operation({
      path: '/stock/{id}',
      params: Id,
      output: z.object({ count: z.int() }),
    }),
    // A call asks for one price. The calls of one turn share requests.
    price: operation({
      path: '/prices',
      query: z.object({ ids: z.array(z.string()) }),
      output: z.array(z.object({ id: z.string(), cents: z.int() })),
      keyBatch: {
        maxKeys: 50,
        call: (ids: readonly string[]) => ({ ids }),
        pick: (prices, id) => prices.find(price => price.id === id)?.cents,
      },
    }),
    order: operation({ path: '/orders/{id}', params: Id, output: Order, nullOn: [404] }),
    createOrder: operation({
      method: 'POST',
      path: '/orders',
      body: z.object({ lines: Lines }),
      responses: {
        201: Order,
        409: z.object({ soldOut: z.array(z.string()) }),
        422: z.object({ unknown: z.array(z.string()) }),
      },
    }),
  },
)
