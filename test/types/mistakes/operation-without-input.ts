// A step returns an operation that it has not called.
// says: step 'item' returns an operation: call it to make a call
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('item', () => shop.item)
