import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { fanOut } from '../../../src/fanout/fan-out.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../../src/upstream/declare.ts'
import { createRuntime, type OriginChange, type Runtime } from '../../../src/upstream/runtime.ts'
import { startChild, type ChildServer } from '../../lib/child.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { median, percentile } from '../../lib/percentile.ts'
import type { KindsRequest, OriginKind, UpstreamReport } from './upstream.ts'

/** Ten origins: the first is slow by 10 ×, the second fails, the third fails in every other 2 s. */
export const faulty: readonly OriginKind[] = [
  'slow',
  'failing',
  'flapping',
  ...Array.from({ length: 7 }, () => 'good' as const),
]
export const allGood: readonly OriginKind[] = faulty.map(() => 'good')

/** A change of an origin, by its index. */
export interface TimedChange {
  readonly index: number
  readonly state: OriginChange['state']
  /** The time since the start of the window, in ms. */
  readonly at: number
}

/** The results of one window. */
export interface OriginsWindow {
  readonly calls: number
  readonly failed: number
  /** The latencies of the calls of each second from their schedule, in ms. */
  readonly latencies: readonly (readonly number[])[]
  /** For each origin, the attempts of each second. */
  readonly attempts: readonly (readonly number[])[]
  readonly changes: readonly TimedChange[]
}

export interface Load {
  readonly perSecond: number
  readonly seconds: number
}

/** Starts ten origins in one process. */
export function startOrigins(): Promise<ChildServer> {
  return startChild('origins', new URL('./upstream.ts', import.meta.url), [String(faulty.length)], 0)
}

export interface OriginsClientOptions {
  readonly ports: readonly number[]
  /** Options of the upstream in addition to those of the measurement. */
  readonly options?: Partial<UpstreamOptions>
  /** The limit on the time of one call, in ms. @default 5000 */
  readonly deadline?: number
}

/** A client of several origins. It keeps its connections and its state until it is closed. */
export class OriginsClient {
  readonly #runtime: Runtime
  readonly #changes: { readonly origin: string; readonly state: OriginChange['state']; readonly at: number }[] = []
  readonly #ports: readonly number[]
  /** Sends one call. Rejects if the call fails. */
  readonly send: (index: number) => Promise<unknown>

  constructor({ ports, options = {}, deadline = 5000 }: OriginsClientOptions) {
    this.#ports = ports
    this.#runtime = createRuntime({
      onOriginChange: ({ origin, state }) => this.#changes.push({ origin, state, at: performance.now() }),
    })
    const upstream = defineUpstream(
      'origins',
      {
        concurrency: 200,
        retry: { maxAttempts: 3 },
        ...options,
        origins: ports.map(port => `http://127.0.0.1:${port}`),
      },
      { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }) },
    )
    const one = aggregate('one', { url: '/', query: z.object({ id: z.string() }), deadline })
      .required('answer', ({ query }) => upstream.get(query))
      .reply(z.object({}), ({ answer }) => answer)
    this.send = index => fanOut(one, { query: { id: String(index) } }, { runtime: this.#runtime })
  }

  /** Sends calls at a constant rate to origins of these kinds. */
  async measure(child: ChildServer, kinds: readonly OriginKind[], load: Load): Promise<OriginsWindow> {
    const { perSecond, seconds } = load
    await child.request<UpstreamReport>({ kinds } satisfies KindsRequest)
    this.#changes.length = 0
    const since = performance.now()
    const latencies: number[][] = Array.from({ length: seconds }, () => [])
    let failed = 0
    await openLoop({
      perSecond,
      seconds,
      send: async (index, dueAt) => {
        try {
          await this.send(index)
        } catch {
          failed++
        }
        latencies[Math.floor(index / perSecond)]?.push(performance.now() - dueAt)
      },
    })
    const { perSecond: attempts } = await child.request<UpstreamReport>({ report: true })
    return {
      calls: perSecond * seconds,
      failed,
      latencies,
      attempts,
      changes: this.#changes.map(({ origin, state, at }) => {
        return { index: this.#ports.indexOf(Number(origin.split(':').at(-1))), state, at: at - since }
      }),
    }
  }

  close(): Promise<void> {
    return this.#runtime.close()
  }
}

/** Returns the 99th percentile of all latencies of a window, in ms. */
export function p99Of({ latencies }: OriginsWindow): number {
  return percentileOf(latencies.flat(), 0.99)
}

/** Returns the median of the percentiles of each second, in ms. One pause of the machine changes it little. */
export function usualPercentile({ latencies }: OriginsWindow, share: number): number {
  return median(latencies.map(second => percentileOf(second, share)))
}

function percentileOf(latencies: readonly number[], share: number): number {
  return percentile(
    latencies.toSorted((one, other) => one - other),
    share,
  )
}

/** Returns the part of the attempts of each second that one origin got. */
export function sharesOf({ attempts }: OriginsWindow, index: number): number[] {
  const seconds = Math.max(...attempts.map(counts => counts.length))
  return Array.from({ length: seconds }, (_, second) => {
    const all = attempts.reduce((sum, counts) => sum + (counts[second] ?? 0), 0)
    return all === 0 ? 0 : (attempts[index]?.[second] ?? 0) / all
  })
}
