// The fallback of an optional step is an object that has a call in it.
// says: the fallback has a call at 'order', which is never sent: ask it in the function of the step
import { base, shop } from './shop.ts'

base.optional('pair', async ({ params, ask }) => ({ order: await ask(shop.order({ id: params.id })), at: 1 }), {
  // @ts-expect-error
  fallback: { order: shop.order({ id: 'none' }), at: 0 },
})
