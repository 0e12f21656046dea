// node bench/scenarios/overload/service.ts <origin> <concurrency> <fan-out>: a service that reports the time that it
// needed for refused requests.
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { announce, upstreamOrigin } from '../../lib/announce.ts'
import { heapAfterGc } from '../../lib/heap.ts'
import { percentile } from '../../lib/percentile.ts'

/** Figures of the service since the last report. */
export interface OverloadReport {
  readonly heapBytes: number
  readonly refused: number
  /** `null` if no request was refused: NaN becomes `null` in a message. */
  readonly refusalP50Ms: number | null
  readonly refusalP99Ms: number | null
  /** Mean of the sampled ratio of permits in use. */
  readonly permitsInUse: number
}

const [concurrency, fanout] = process.argv.slice(3).map(Number) as [number, number]
const upstream = defineUpstream(
  'upstream',
  { origin: upstreamOrigin(), concurrency },
  {
    get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }),
  },
)
const calls = Array.from({ length: fanout }, (_, index) => String(index))
const each = aggregate('each', { url: '/' })
  .each('leaves', () => calls.map(id => upstream.get({ id })), { maxItems: fanout })
  .reply(z.object({ count: z.number() }), ({ leaves }) => ({ count: leaves.length }))

const since = new WeakMap<object, number>()
let refusals: number[] = []
const runtime = createRuntime()
const app = buildApp([each], { runtime })
app.addHook('onRequest', (request, _reply, done) => {
  since.set(request, performance.now())
  done()
})
app.addHook('onResponse', (request, reply, done) => {
  if (reply.statusCode === 503) refusals.push(performance.now() - (since.get(request) as number))
  done()
})

const sampleMs = 20
let samples = 0
let inUse = 0
setInterval(() => {
  samples++
  inUse += runtime.stats()['upstream']?.active ?? 0
}, sampleMs)

process.on('message', (message: { readonly report?: true }) => {
  if (message.report === undefined) return
  const sorted = refusals.sort((a, b) => a - b)
  process.send?.({
    heapBytes: heapAfterGc(),
    refused: sorted.length,
    permitsInUse: inUse / samples / concurrency,
    refusalP50Ms: percentile(sorted, 0.5),
    refusalP99Ms: percentile(sorted, 0.99),
  } satisfies OverloadReport)
  refusals = []
  samples = inUse = 0
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce((app.server.address() as AddressInfo).port)
