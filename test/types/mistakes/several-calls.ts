// A required step returns a list of calls.
// says: step 'items' returns several calls: use each or firstOf
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('items', ({ params }) => [shop.item({ id: params.id }), shop.item({ id: 'gift' })])
