// The fallback of an optional step is a function of the input.
// says: optional step 'item' needs a fallback value: add { fallback: null }
import { base, shop } from './shop.ts'

// @ts-expect-error
base.optional('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: ({ params }) => ({ title: params.id, cents: 0 }),
})
