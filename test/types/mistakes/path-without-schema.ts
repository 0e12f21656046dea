// A path has a name, and the operation has no schema of its params.
// says: the template has the name {id}: add params: z.object({ id: … })
import { operation } from '../../../src/upstream/declare.ts'
import { Order } from './shop.ts'

operation({
  // @ts-expect-error
  path: '/orders/{id}',
  output: Order,
})
