// A url has a name, and the aggregate has no schema of its params.
// says: the template has the name {id}: add params: z.object({ id: … })
import { aggregate } from '../../../src/fanout/aggregate.ts'

aggregate('total', {
  // @ts-expect-error
  url: '/totals/{id}',
})
