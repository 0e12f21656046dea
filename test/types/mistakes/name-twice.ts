// Two steps have the same name.
// says: a step 'order' is already declared
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('order', ({ params }) => shop.order({ id: params.id }))
