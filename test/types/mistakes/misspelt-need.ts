// A name in `needs` is misspelt.
// says: write the names of earlier steps
import { base, shop } from './shop.ts'

base.each('items', ({ order }) => order.items.map(id => shop.item({ id })), {
  // @ts-expect-error
  needs: ['ordre'],
})
