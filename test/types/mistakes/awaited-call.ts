// A step awaits a call and takes it for its answer.
// says: use await ask(call)
import { base, shop } from './shop.ts'

base.required('items', async ({ params }) => {
  const order = await shop.order({ id: params.id })
  // @ts-expect-error
  return order.items
})
