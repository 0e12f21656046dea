// An each has a fallback for its failed calls and tolerates none.
// says: fallback of an each needs minSuccess: add { minSuccess: 0 }
import { base, shop } from './shop.ts'

// @ts-expect-error
base.each('items', ({ params }) => [shop.item({ id: params.id })], {
  fallback: null,
})
