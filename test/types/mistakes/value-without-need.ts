// A step takes a value that it does not need.
// says: to get the value of an earlier step, add its name to needs
import { base, shop } from './shop.ts'

// @ts-expect-error
base.each('items', ({ order }) => order.items.map(id => shop.item({ id })))
