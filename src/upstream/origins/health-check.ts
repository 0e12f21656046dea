import { Abort } from '../../core/abort.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'
import { request } from '../../core/undici.ts'
import type { Timers } from '../connect/happy-eyeballs.ts'
import type { HealthCheckOptions } from '../spec/origin-options.ts'
import type { SingleUseTransport } from '../transport/transport.ts'
import { unrefTimers } from './unref-timers.ts'

export interface HealthCheckTarget {
  /** The URL of the origin. */
  readonly url: URL
  /** The path of the requests: the base path and that of the check. */
  readonly path: string
  readonly check: Required<HealthCheckOptions>
  /** Opens the transport of the requests. */
  readonly open: () => SingleUseTransport
  /** Called when the origin becomes unhealthy, and when it is healthy again. */
  readonly changed: (isHealthy: boolean) => void
  readonly timers?: Timers<NodeJS.Timeout>
  readonly random?: () => number
}

/** The checks of one origin. */
export interface HealthCheck {
  /** Ends the checks and closes their connection. No callback is called after it. */
  readonly close: () => Promise<void>
}

/** The limit on the part of an answer that is read before its connection is closed, in bytes. */
export const maxReadBytes = 16 * 1024

/**
 * Checks an origin periodically, each time on a new connection, so that a check also covers the listening socket and
 * TLS. An origin is healthy until checks have failed. Its state changes after a number of equal results in a row.
 */
export function startHealthCheck({
  url,
  path,
  check: { interval, timeout, unhealthyAfter, healthyAfter },
  open,
  changed,
  timers = unrefTimers,
  random = Math.random,
}: HealthCheckTarget): HealthCheck {
  const { dispatcher, pathPrefix, headers, close } = open()
  const options = {
    origin: url.origin,
    method: 'GET' as const,
    path: pathPrefix + path,
    headers: [...headers, 'accept', '*/*', 'user-agent', 'headwaters'],
  }
  // After a late turn of the event loop it reads the answers that have arrived first. `AbortSignal.timeout` would not.
  const limits = createTimerQueue(timeout, () => new Error(`the check took longer than ${timeout} ms`))
  let isClosed = false
  let isHealthy = true
  /** The number of results in a row that contradict the state. */
  let contradictions = 0
  // Processes that started together do not check together.
  let timer = timers.set(() => void checkOnce(), random() * interval)

  async function statusPasses(signal: AbortSignal): Promise<boolean> {
    const { statusCode, body } = await request.call(dispatcher, { ...options, signal })
    // The status is the result: the rest of the answer is read for an orderly end of the connection only.
    await body.dump({ limit: maxReadBytes, signal }).catch(() => {})
    return statusCode >= 200 && statusCode <= 299
  }

  async function passes(): Promise<boolean> {
    const abort = new Abort()
    const limit = limits.start(abort)
    const hasPassed = await statusPasses(abort.signal).catch(() => false)
    limits.stop(limit)
    return hasPassed
  }

  async function checkOnce(): Promise<void> {
    const hasPassed = await passes()
    if (isClosed) return
    timer = timers.set(() => void checkOnce(), interval * (1 - random() / 10))
    contradictions = hasPassed === isHealthy ? 0 : contradictions + 1
    if (contradictions < (isHealthy ? unhealthyAfter : healthyAfter)) return
    contradictions = 0
    isHealthy = hasPassed
    changed(isHealthy)
  }

  return {
    async close() {
      isClosed = true
      timers.clear(timer)
      await close()
    },
  }
}
