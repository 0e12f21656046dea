// A step has the name of a part of the input.
// says: 'query' is part of the input: choose another step name
import { base, shop } from './shop.ts'

// @ts-expect-error
base.required('query', ({ params }) => shop.order({ id: params.id }))
