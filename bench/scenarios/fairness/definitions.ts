// The definitions for `bench/scenarios/fairness/main.ts`: aggregates that share one upstream. The origin, the
// concurrency and the fan-out come from the environment.
import { aggregate, defineUpstream, operation, times } from 'headwaters'
import { z } from 'zod'

const params = z.object({ id: z.int() })
const body = z.object({ note: z.string() })
const upstream = defineUpstream(
  'shared',
  { origin: 'http://127.0.0.1:9' },
  {
    get: operation({ path: '/{id}', params, output: z.object({}) }),
    post: operation({ method: 'POST', path: '/{id}', params, body, output: z.object({}) }),
  },
)
const fanout = Number(process.env['BENCH_FANOUT'])
const Count = z.object({ count: z.number() })

const getting = (name: string, deadline: number) =>
  aggregate(name, { url: `/${name}`, deadline })
    .each('leaves', () => times(fanout, id => upstream.get({ id })), { maxItems: fanout })
    .reply(Count, ({ leaves }) => ({ count: leaves.length }))

export const heavy = getting('heavy', 2000)
export const light = getting('light', 2000)
export const short = getting('short', 800)
export const post = aggregate('post', { url: '/post', method: 'POST', body, deadline: 2000 })
  .each('leaves', input => times(fanout, id => upstream.post({ id, body: input.body })), { maxItems: fanout })
  .reply(Count, ({ leaves }) => ({ count: leaves.length }))
