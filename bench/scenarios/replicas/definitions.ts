// The definitions of `npm run bench:replicas`. The origin of the upstream comes from the environment.
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const params = z.object({ id: z.coerce.number() })
const upstream = defineUpstream(
  'leaves',
  { origin: 'http://127.0.0.1:9' },
  {
    leaf: operation({
      path: '/{id}',
      params: z.object({ id: z.int() }),
      output: z.object({}),
      cache: { ttl: 60_000 },
      coalesce: 'replicas',
    }),
  },
)

export const leaf = aggregate('leaf', { url: '/leaf/{id}', params, deadline: 2000 })
  .required('leaf', ({ params: { id } }) => upstream.leaf({ id }))
  .reply(z.object({}), ({ leaf: found }) => found)
