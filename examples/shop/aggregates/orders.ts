import { aggregate, refuse } from 'headwaters'
import { z } from 'zod'
import { shop } from '../upstreams/shop.ts'

const Lines = z
  .array(z.object({ id: z.string().min(1), quantity: z.int().min(1) }))
  .min(1)
  .max(100)
const Order = z.object({ id: z.string(), lines: Lines, cents: z.int() })
const NewOrder = z.object({ lines: Lines })

const errors = z.array(z.object({ pointer: z.string(), reason: z.string() })).min(1)
const SoldOut = z.object({ code: z.literal('SOLD_OUT'), errors }).describe('Some products are sold out.')
const Unknown = z.object({ code: z.literal('PRODUCT_UNKNOWN'), errors }).describe('Some products do not exist.')

/** Creates an order: 201 with its `location`, or a problem that names each line that cannot be ordered. */
export const createOrder = aggregate('create-order', {
  url: '/v1/orders',
  body: NewOrder,
  problems: { 409: SoldOut, 422: Unknown },
})
  .required('order', ({ body }) => shop.createOrder({ body }))
  .reply(
    Order,
    ({ body, order }) => {
      switch (order.status) {
        case 201:
          return order.body
        case 409:
          return refuse(409, 'Some products are sold out.', {
            code: 'SOLD_OUT',
            errors: faultsOf(body, order.body.soldOut, 'is sold out'),
          })
        case 422:
          return refuse(422, 'Some products do not exist.', {
            code: 'PRODUCT_UNKNOWN',
            errors: faultsOf(body, order.body.unknown, 'does not exist'),
          })
      }
    },
    { status: 201 },
  )
  .onReply(({ data }) => ({ headers: { location: `/v1/orders/${encodeURIComponent(data.id)}` } }))

/** The order that a `location` names. */
export const order = aggregate('order', {
  url: '/v1/orders/{id}',
  params: z.object({ id: z.string().min(1) }),
  problems: { 404: 'There is no such order.' },
})
  .required('order', ({ params }) => shop.order(params))
  .reply(Order, ({ order }) => order ?? refuse(404, 'There is no such order.'))

/** Returns a fault for each line of the body whose product is one of `ids`. */
function faultsOf({ lines }: z.output<typeof NewOrder>, ids: readonly string[], reason: string) {
  return lines.flatMap(({ id }, index) => (ids.includes(id) ? [{ pointer: `/body/lines/${index}/id`, reason }] : []))
}
