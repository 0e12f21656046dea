// The fallback of an optional step is a function.
// says: the fallback is a function, which is never called: write a value, such as null
import { base, shop } from './shop.ts'

base.optional('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: () => ({ title: '', cents: 0 }),
})
