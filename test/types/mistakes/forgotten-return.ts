// A step calls an operation and returns nothing.
// says: step 'item' must return a call, a value or skip
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('item', ({ params }) => {
  shop.item({ id: params.id })
})
