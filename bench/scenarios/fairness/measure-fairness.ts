import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { httpCaller } from '../../lib/http-caller.ts'
import type { CallerRequest } from '../../lib/http-caller.ts'
import { figuresOf } from '../../lib/open-loop-figures.ts'
import type { OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { startServe } from '../start-serve.ts'

export interface FairnessOptions {
  /** Number of permits of the upstream that both aggregates call. */
  readonly permits: number
  /** Time that the upstream takes for a call, in ms. */
  readonly upstreamMs: number
  readonly fanout: number
  /** Requests of the heavy aggregate, as a multiple of what the permits allow. */
  readonly times: number
  readonly rounds: number
  /** Duration of each open loop. */
  readonly seconds: number
}

/** The light aggregate of a window. The heavy aggregate is a GET with a deadline of 2000 ms in all of them. */
export type Variant = keyof typeof requests

const requests = {
  equal: { path: '/light' },
  'deadline 800': { path: '/short' },
  POST: { path: '/post', method: 'POST', body: '{"note":"x"}' },
} as const satisfies Readonly<Record<string, CallerRequest>>

export const variants = Object.keys(requests) as Variant[]

/** The figures of the light aggregate in two loads, and those of the heavy aggregate in the flood. */
export interface FairnessWindow {
  readonly variant: Variant
  /** Beside requests of the heavy aggregate. Both together are half of what the permits allow. */
  readonly calm: OpenLoopFigures
  /** Beside the flood of the heavy aggregate. */
  readonly flood: OpenLoopFigures
  readonly heavy: OpenLoopFigures
}

/** Requests of the light aggregate, as a share of what the permits allow. It is half of the fair share of one of two. */
const lightShare = 0.25

/** Returns the requests per second that the permits allow. */
export function capacityOf({
  permits,
  upstreamMs,
  fanout,
}: Pick<FairnessOptions, 'permits' | 'upstreamMs' | 'fanout'>): number {
  return (permits * 1000) / upstreamMs / fanout
}

/** Measures two aggregates of `headwaters serve` that share one upstream: a light one beside a flood of the other. */
export async function measureFairness(options: FairnessOptions): Promise<FairnessWindow[]> {
  const { permits, upstreamMs, fanout, times, rounds, seconds } = options
  const upstream = await startDelayUpstream(upstreamMs)
  const service = await startServe('service', new URL('./definitions.ts', import.meta.url), {
    HEADWATERS_UPSTREAM_SHARED_ORIGIN: `http://127.0.0.1:${upstream.port}`,
    HEADWATERS_UPSTREAM_SHARED_CONCURRENCY: String(permits),
    BENCH_FANOUT: String(fanout),
  })
  const capacity = capacityOf(options)
  const perSecond = capacity * lightShare
  const heavyCaller = httpCaller(service.port, '/heavy')
  const lightCallers = new Map(variants.map(variant => [variant, httpCaller(service.port, requests[variant])]))
  const open = async (light: ReturnType<typeof httpCaller>, heavyPerSecond: number, forSeconds = seconds) => {
    const startedAt = performance.now()
    await Promise.all([
      openLoop({ perSecond, seconds: forSeconds, send: (_index, dueAt) => light.send(dueAt) }),
      openLoop({
        perSecond: heavyPerSecond,
        seconds: forSeconds,
        // Requests of the two loops at the same moment would overlap each time, and would not represent a calm load.
        offsetMs: 500 / perSecond,
        send: (_index, dueAt) => heavyCaller.send(dueAt),
      }),
    ])
    return [light, heavyCaller].map(caller => figuresOf(caller.takeCompleted(), startedAt, forSeconds)) as [
      OpenLoopFigures,
      OpenLoopFigures,
    ]
  }

  try {
    for (const light of lightCallers.values()) await open(light, capacity / 4, 1)
    const windows: FairnessWindow[] = []
    for (let round = 0; round < rounds; round++) {
      for (const [variant, light] of lightCallers) {
        const [calm] = await open(light, capacity * (0.5 - lightShare))
        const [flood, heavy] = await open(light, capacity * times)
        windows.push({ variant, calm, flood, heavy })
      }
    }
    return windows
  } finally {
    for (const caller of [heavyCaller, ...lightCallers.values()]) await caller.close()
    await service.stop()
    await upstream.stop()
  }
}
