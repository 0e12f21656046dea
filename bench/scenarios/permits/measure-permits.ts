import { startDelayUpstream } from '../../lib/start-delay-upstream.ts'
import { httpCaller } from '../../lib/http-caller.ts'
import { figuresOf, medianPerSecond } from '../../lib/open-loop-figures.ts'
import type { OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { startServe } from '../start-serve.ts'

export interface PermitsOptions {
  /** Number of permits of the upstream. */
  readonly permits: number
  /** Time that the upstream takes for a call, in ms. */
  readonly upstreamMs: number
  readonly fanout: number
  /** Multiples of the peak rate. */
  readonly times: readonly number[]
  readonly rounds: number
  /** Duration of each open loop. */
  readonly seconds: number
}

/** The figures of one overload, and those at half of the peak in the same round. */
export interface PermitsWindow {
  readonly times: number
  readonly calm: OpenLoopFigures
  readonly overload: OpenLoopFigures
}

export interface PermitsMeasurement {
  /** Whole answers per second of the best closed loop. */
  readonly peak: number
  readonly windows: readonly PermitsWindow[]
}

/** Multiples of the runs that the permits allow at once, as the number of callers of each closed loop. */
const closedLoops = [1, 2, 4, 8]
const mostPeakSeconds = 4

/**
 * Measures `headwaters serve` while the permits of its upstream limit the capacity: the peak by closed loops, then in
 * each round open loops at half of the peak and at multiples of it.
 */
export async function measurePermits(options: PermitsOptions): Promise<PermitsMeasurement> {
  const { permits, upstreamMs, fanout, times, rounds, seconds } = options
  const upstream = await startDelayUpstream(upstreamMs)
  const service = await startServe('service', new URL('./definitions.ts', import.meta.url), {
    HEADWATERS_UPSTREAM_LEAVES_ORIGIN: `http://127.0.0.1:${upstream.port}`,
    HEADWATERS_UPSTREAM_LEAVES_CONCURRENCY: String(permits),
    BENCH_FANOUT: String(fanout),
  })
  const caller = httpCaller(service.port, '/leaves')
  const open = async (perSecond: number) => {
    const startedAt = performance.now()
    await openLoop({ perSecond, seconds, send: (_index, dueAt) => caller.send(dueAt) })
    return figuresOf(caller.takeCompleted(), startedAt, seconds)
  }

  try {
    const peakSeconds = Math.min(seconds, mostPeakSeconds)
    const runsAtOnce = Math.max(1, Math.floor(permits / fanout))
    await closedLoop(caller, runsAtOnce, peakSeconds)
    let peak = 0
    for (const multiple of closedLoops)
      peak = Math.max(peak, await closedLoop(caller, multiple * runsAtOnce, peakSeconds))

    const windows: PermitsWindow[] = []
    for (let round = 0; round < rounds; round++) {
      const calm = await open(peak / 2)
      for (const multiple of times) windows.push({ times: multiple, calm, overload: await open(peak * multiple) })
    }
    return { peak, windows }
  } finally {
    await caller.close()
    await service.stop()
    await upstream.stop()
  }
}

/** Lets each caller send the next request when it has its reply. Returns the whole answers of the median second. */
async function closedLoop(caller: ReturnType<typeof httpCaller>, callers: number, seconds: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) await caller.send(performance.now())
    }),
  )
  const whole = caller.takeCompleted().filter(({ status }) => status === 200)
  return medianPerSecond(whole, startedAt, seconds)
}
