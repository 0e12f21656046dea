// A required step has a fallback.
// says: a required step cannot have a fallback: make it optional
import { base, shop } from './shop.ts'

base.required('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: null,
})
