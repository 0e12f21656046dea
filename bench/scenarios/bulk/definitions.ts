// The definitions of `npm run bench:bulk`. The origin of the upstream comes from the environment.
import { aggregate, defineUpstream, operation, times } from 'headwaters'
import { z } from 'zod'

const upstream = defineUpstream(
  'leaves',
  { origin: 'http://127.0.0.1:9' },
  { leaf: operation({ path: '/', output: z.object({}) }) },
)

const fanout = 5

export const live = aggregate('live', { url: '/live', deadline: 5000 })
  .each('leaves', () => times(fanout, () => upstream.leaf()))
  .reply(z.number(), ({ leaves }) => leaves.length)

const params = z.object({ id: z.string() })

export const item = aggregate('item', { url: '/items/{id}', params, deadline: 5000, bulk: true })
  .each('leaves', () => times(fanout, () => upstream.leaf()))
  .reply(z.number(), ({ leaves }) => leaves.length)
