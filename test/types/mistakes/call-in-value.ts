// A step returns an object that has a call in it.
// says: use await ask(call)
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('both', ({ params }) => ({ first: shop.item({ id: params.id }), at: 1 }))
