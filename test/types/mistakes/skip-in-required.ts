// A required step skips.
// says: required step 'item' cannot skip: make it optional
import { skip } from '../../../src/fanout/aggregate.ts'
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('item', ({ params }) => (params.id === '' ? skip : shop.item({ id: params.id })))
