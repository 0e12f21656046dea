// The definitions for `bench/scenarios/permits/main.ts`. The origin, the concurrency and the fan-out come from the
// environment.
import { aggregate, defineUpstream, operation, times } from 'headwaters'
import { z } from 'zod'

const upstream = defineUpstream(
  'leaves',
  { origin: 'http://127.0.0.1:9' },
  { leaf: operation({ path: '/{id}', params: z.object({ id: z.int() }), output: z.object({}) }) },
)
const fanout = Number(process.env['BENCH_FANOUT'])

export const leaves = aggregate('leaves', { url: '/leaves', deadline: 2000 })
  .each('leaves', () => times(fanout, id => upstream.leaf({ id })), { maxItems: fanout })
  .reply(z.object({ count: z.number() }), ({ leaves: all }) => ({ count: all.length }))
