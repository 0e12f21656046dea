// An each tolerates failed calls and has no fallback for them.
// says: minSuccess needs a fallback value: add { fallback: null }
import { base, shop } from './shop.ts'

// @ts-expect-error
base.each('items', ({ params }) => [shop.item({ id: params.id })], {
  minSuccess: 0,
})
