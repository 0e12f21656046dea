// The fallback of an optional step is a promise.
// says: the fallback is a promise, which is never awaited: write a value, such as null
import { base, shop } from './shop.ts'

base.optional('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: Promise.resolve({ title: '', cents: 0 }),
})
