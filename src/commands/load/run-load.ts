import { startPreciseClock } from './clock.ts'
import { createConnection } from './connection.ts'
import { startLoadGenerator } from './generator.ts'
import type { Progress } from './live-screen.ts'
import { createMetrics, type IntervalMetrics } from './metrics.ts'
import type { LoadOptions } from './options.ts'
import { startProgressDisplay } from './progress-display.ts'
import { createResult, type LoadResult } from './result.ts'
import { closedLoop, constantArrivalRate } from './schedule.ts'

/** Number of seconds whose p99 is kept for the sparkline. */
const maxHistory = 300

/** Runs one load test and shows its progress. If the signal aborts, returns the result up to this moment. */
export async function runLoad(options: LoadOptions, signal: AbortSignal): Promise<LoadResult> {
  const { request, rate, warmUpMs, durationMs } = options
  const clock = await startPreciseClock()
  const connections = Array.from({ length: options.connections }, () => createConnection(request))
  const startedAt = clock.now()
  const countFrom = startedAt + warmUpMs
  const ms = warmUpMs + durationMs
  const { metrics, observer, takeInterval } = createMetrics(countFrom, startedAt + ms)
  const utilization = performance.eventLoopUtilization()
  const generator = startLoadGenerator({
    schedule: rate === undefined ? closedLoop(startedAt, ms) : constantArrivalRate(rate, startedAt, ms),
    connections,
    clock,
    observer,
    abortAt: startedAt + ms + request.timeoutMs,
  })

  const p99History: number[] = []
  let lastSecond: IntervalMetrics | undefined
  const progress = (): Progress => ({
    options,
    metrics,
    elapsedMs: clock.now() - startedAt,
    inFlight: generator.inFlight,
    waiting: generator.waiting,
    lastSecond,
    p99History,
  })
  const display = startProgressDisplay(progress, options.json)
  const timer = setInterval(() => {
    lastSecond = takeInterval()
    p99History.push(lastSecond.p99Ms)
    if (p99History.length > maxHistory) p99History.shift()
    display.onSecond()
  }, 1000)
  let endedAt = startedAt + ms
  const stop = () => {
    endedAt = Math.min(endedAt, clock.now())
    generator.stop()
  }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    await generator.done
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(timer)
    display.end()
    for (const connection of connections) connection.close()
    await clock.close()
  }
  return createResult(metrics, options, {
    durationMs: Math.max(0, endedAt - countFrom),
    busy: performance.eventLoopUtilization(utilization).utilization,
    isInterrupted: signal.aborted,
  })
}
