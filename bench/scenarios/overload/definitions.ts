// The definitions of the CPU part of `npm run bench:overload`. The fan-out comes from the environment.
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

/** A run that lasts. With `MAX_RUNS=1` it makes the service refuse all other requests. */
export const held = aggregate('held', { url: '/held', deadline: 600_000 })
  .required('wait', ({ signal }) => new Promise<null>(resolve => signal.addEventListener('abort', () => resolve(null))))
  .reply(z.null(), ({ wait }) => wait)
