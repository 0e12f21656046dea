// A firstOf has a fallback.
// says: a firstOf cannot have a fallback: ask the calls in an optional step
import { base, shop } from './shop.ts'

base.firstOf('item', ({ params }) => [shop.item({ id: params.id }), shop.item({ id: 'gift' })], {
  // @ts-expect-error
  fallback: null,
})
