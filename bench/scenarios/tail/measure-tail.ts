import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import type { UpstreamOptions } from '../../../src/upstream/spec/options.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { startChild } from '../../lib/child.ts'
import { areAllSlow, type LatencyDistribution } from '../../lib/latency-distribution.ts'
import type { DelayUpstreamStats, DelayUpstreamOptions } from '../../lib/delay-upstream.ts'
import { openLoop } from '../../lib/open-loop.ts'

export interface TailCase {
  readonly name: string
  readonly fanout: number
  /** Share of the attempts on leaves that are slow. */
  readonly slowRatio: number
  readonly options: Omit<UpstreamOptions, 'origin'>
  /**
   * The factor by which every leaf is slower in the second half.
   * @default 1
   */
  readonly factor?: number
}

export interface TailOptions {
  readonly seed: number
  readonly perSecond: number
  readonly seconds: number
  /** Time before the measurement. Its roots are not counted: they warm the JIT compiler and the latency statistics. */
  readonly warmUpSeconds: number
}

export interface TailRow {
  readonly name: string
  /** Sorted latencies of the roots in ms, measured from the scheduled time. */
  readonly sortedMs: readonly number[]
  readonly roots: number
  readonly failed: number
  /** Measured share of slow roots. */
  readonly slow: number
  /** Share of slow roots that follows from the samples of this seed. */
  readonly computed: number
  /** Expected share of slow roots if attempts are slow independently with probability `slowRatio`. */
  readonly theory: number
  /** Extra attempts per call: the ratio of attempts to calls, minus 1. */
  readonly extra: number
  /** Extra attempts per call in the second half. */
  readonly extraLate: number
}

const leaf = { slowMs: 1000, fastFromMs: 3, fastToMs: 8 }
/**
 * A root with a higher latency counts as slow, in ms. The threshold is 5 ms below the latency of a slow leaf, because a
 * timer can fire early. A root can also be slow because the machine stalled.
 */
const slowMs = leaf.slowMs - 5

/**
 * Sends roots at a constant rate through the engine. Each root makes many calls to leaves in a separate process.
 * Returns the share of slow roots.
 */
export async function measureTail(
  each: TailCase,
  { seed, perSecond, seconds, warmUpSeconds }: TailOptions,
): Promise<TailRow> {
  const { name, fanout, slowRatio, options, factor = 1 } = each
  const spread: LatencyDistribution = { ...leaf, seed, slowRatio }
  const child = await startChild(
    'leaf',
    new URL('../../lib/delay-upstream.ts', import.meta.url),
    [JSON.stringify(spread satisfies DelayUpstreamOptions)],
    0,
  )
  const upstream = defineUpstream(
    'leaf',
    { ...options, origin: `http://127.0.0.1:${child.port}` },
    {
      get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }),
    },
  )
  const root = aggregate('tail', { url: '/', query: z.object({ root: z.coerce.number() }), deadline: 10_000 })
    .each(
      'leaves',
      ({ query }) =>
        Array.from({ length: fanout }, (_, index) => upstream.get({ id: String(query.root * fanout + index) })),
      { concurrency: fanout, maxItems: fanout },
    )
    .reply(z.object({ count: z.number() }), ({ leaves }) => ({ count: leaves.length }))
  const runtime = createRuntime()

  const latencies: number[] = []
  let failed = 0
  const counts: { readonly calls: number; readonly received: number }[] = []
  const count = async () => {
    const { received } = await child.request<DelayUpstreamStats>({ count: true })
    counts.push({ calls: latencies.length * fanout, received })
  }
  const run = async (from: number, part: number) => {
    await openLoop({
      perSecond,
      seconds: part,
      send: (index, dueAt) =>
        fanOut(root, { query: { root: from + index } }, { runtime })
          .then(
            () => {},
            () => {
              failed++
            },
          )
          .then(() => {
            latencies.push(performance.now() - dueAt)
          }),
    })
    await count()
  }

  try {
    await run(0, warmUpSeconds)
    const first = latencies.length
    await run(first, seconds / 2)
    if (factor !== 1) await child.request({ factor })
    await run(latencies.length, seconds / 2)

    const sortedMs = latencies.slice(first).sort((a, b) => a - b)
    const roots = sortedMs.length
    const attempts = options.hedge === undefined || options.hedge === false ? 1 : 2
    const ids = Array.from({ length: roots }, (_, index) => (first + index) * fanout)
    const computed =
      ids.filter(id =>
        Array.from({ length: fanout }, (_, index) => id + index).some(one => areAllSlow(spread, one, attempts)),
      ).length / roots
    const extraOf = (from: number) => {
      const [before, after] = [counts[from], counts.at(-1)] as [(typeof counts)[0], (typeof counts)[0]]
      return (after.received - before.received) / (after.calls - before.calls) - 1
    }
    return {
      name,
      sortedMs,
      roots,
      failed,
      computed,
      theory: 1 - (1 - slowRatio ** attempts) ** fanout,
      slow: sortedMs.filter(ms => ms > slowMs).length / roots,
      extra: extraOf(0),
      extraLate: extraOf(1),
    }
  } finally {
    await runtime.close()
    await child.stop()
  }
}
