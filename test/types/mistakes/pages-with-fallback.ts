// A list that is read page by page has a fallback.
// says: pages cannot have a fallback: use { onLoss: 'keep' }
import { base, shop } from './shop.ts'

base.pages('items', ({ params }) => shop.item({ id: params.id }), {
  next: () => null,
  // @ts-expect-error
  fallback: [],
})
