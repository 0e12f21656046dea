// The fallback of an optional step is a call.
// says: the fallback is a call, which is never sent: ask it in the function of the step
import { base, shop } from './shop.ts'

base.optional('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: shop.item({ id: 'gift' }),
})
