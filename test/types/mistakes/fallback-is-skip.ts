// The fallback of an optional step is skip.
// says: the fallback is skip: write a value, such as null
import { skip } from '../../../src/fanout/aggregate.ts'
import { base, shop } from './shop.ts'

base.optional('item', ({ params }) => shop.item({ id: params.id }), {
  // @ts-expect-error
  fallback: skip,
})
