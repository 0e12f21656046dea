// An optional step has no fallback.
// says: optional step 'item' needs a fallback value: add { fallback: null }
import { base, shop } from './shop.ts'

// @ts-expect-error
base.optional('item', ({ params }) => shop.item({ id: params.id }))
