// The definitions of `npm run bench:bulk -- --crashes`. The origin of the upstream comes from the environment.
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const params = z.object({ id: z.string() })

const upstream = defineUpstream(
  'counter',
  { origin: 'http://127.0.0.1:9' },
  { count: operation({ path: '/{id}', params, output: z.object({ id: z.string() }) }) },
)

export const item = aggregate('item', { url: '/items/{id}', params, deadline: 5000, bulk: true })
  .required('counted', ({ params }) => upstream.count(params))
  .reply(z.string(), ({ counted }) => counted.id)
