// node bench/scenarios/offload/service.ts <origin>: a cheap aggregate, and two aggregates whose merge uses 200 ms of
// CPU time, one in a worker thread and one in the event loop.
import { spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate, offload } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { announce, upstreamOrigin } from '../../lib/announce.ts'
import { burn } from './burn.ts'
import type * as burning from './burn.ts'

const upstream = defineUpstream(
  'upstream',
  { origin: upstreamOrigin() },
  {
    get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }),
  },
)
const opened = (name: string) =>
  aggregate(name, { url: `/${name}`, deadline: 10_000 }).each('leaves', () =>
    ['0', '1', '2', '3', '4'].map(id => upstream.get({ id })),
  )
const Reply = z.object({ count: z.number() })

const app = buildApp(
  [
    opened('cheap').reply(Reply, ({ leaves }) => ({ count: leaves.length })),
    opened('offloaded').reply(Reply, offload<typeof burning>(new URL('./burn.ts', import.meta.url), 'burn')),
    opened('here').reply(Reply, burn),
  ],
  { threads: { count: 1 } },
)

process.on('message', (message: { readonly pin?: number }) => {
  if (message.pin === undefined) return
  // This pins only the main thread. The worker thread already exists, so its affinity does not change.
  spawnSync('taskset', ['-cp', String(message.pin), String(process.pid)])
  process.send?.({ pinned: true })
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce((app.server.address() as AddressInfo).port)
