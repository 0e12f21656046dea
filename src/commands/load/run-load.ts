import { connection } from './connection.ts'
import type { Options } from './options.ts'
import { asFastAsAnswered, fixedRate } from './pace.ts'
import type { Progress } from './progress.ts'
import { resultOf, type Result } from './result.ts'
import { startSending } from './sending.ts'
import { show } from './shown.ts'
import { createTally, type Second } from './tally.ts'
import { threadClock } from './thread-clock.ts'

/** A longer past is not drawn. */
const mostSeconds = 300

/**
 * Asks as the options say, shows it as it goes, and gives what came of it; when the signal is aborted it ends with what
 * there is.
 */
export async function runLoad(options: Options, signal: AbortSignal): Promise<Result> {
  const { question, rate, warmUpMs, durationMs } = options
  const clock = await threadClock()
  const connections = Array.from({ length: options.connections }, () => connection(question))
  const startedAt = clock.now()
  const countFrom = startedAt + warmUpMs
  const ms = warmUpMs + durationMs
  const { tally, listener, takeSecond } = createTally(countFrom, startedAt + ms)
  const utilization = performance.eventLoopUtilization()
  const sending = startSending({
    pace: rate === undefined ? asFastAsAnswered(startedAt, ms) : fixedRate(rate, startedAt, ms),
    connections,
    clock,
    listener,
    cutAt: startedAt + ms + question.timeoutMs,
  })

  const history: number[] = []
  let second: Second | undefined
  const progress = (): Progress => ({
    options,
    tally,
    elapsedMs: clock.now() - startedAt,
    inFlight: sending.inFlight,
    waiting: sending.waiting,
    second,
    history,
  })
  const shown = show(progress, options.json)
  const timer = setInterval(() => {
    second = takeSecond()
    history.push(second.p99Ms)
    if (history.length > mostSeconds) history.shift()
    shown.second()
  }, 1000)
  let endedAt = startedAt + ms
  const stop = () => {
    endedAt = Math.min(endedAt, clock.now())
    sending.stop()
  }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    await sending.over
  } finally {
    signal.removeEventListener('abort', stop)
    clearInterval(timer)
    shown.end()
    for (const each of connections) each.close()
    await clock.close()
  }
  const busy = performance.eventLoopUtilization(utilization).utilization
  return resultOf(tally, options, { durationMs: Math.max(0, endedAt - countFrom), busy, isInterrupted: signal.aborted })
}
