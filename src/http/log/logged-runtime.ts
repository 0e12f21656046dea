import type { FastifyBaseLogger } from 'fastify'
import { logOrigins } from './log-origins.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'

const breakerMessages = {
  open: 'circuit breaker opened',
  'half-open': 'circuit breaker half-open',
  closed: 'circuit breaker closed',
} as const

/** Time between two log lines about faults of a cache store, in ms. A store that is down fails at every call. */
const storeFaultMs = 60_000

/** The callbacks of a runtime whose calls are logged. */
type LoggedCallbacks = Pick<
  RuntimeOptions,
  'onBreakerChange' | 'onOriginChange' | 'onThreadError' | 'onCacheStoreFault'
>

/** Creates a runtime with `loggingCallbacks`. */
export function loggedRuntime(log: FastifyBaseLogger, options: RuntimeOptions): Runtime {
  return createRuntime({ ...options, ...loggingCallbacks(() => log) })
}

/**
 * Returns callbacks that log each state change of a circuit breaker and of an origin, each idle thread that exits, and
 * faults of the cache store.
 *
 * @param logOf Returns the log. It is called with each line.
 */
export function loggingCallbacks(logOf: () => FastifyBaseLogger): LoggedCallbacks {
  let storeFaultAt = -Infinity
  return {
    onBreakerChange: change => {
      logOf()[change.to === 'open' ? 'warn' : 'info'](change, breakerMessages[change.to])
    },
    onOriginChange: logOrigins(logOf),
    onThreadError: err => logOf().error({ err }, 'idle offload thread exited on an uncaught error'),
    onCacheStoreFault: ({ cause, ...fault }) => {
      if (performance.now() - storeFaultAt < storeFaultMs) return
      storeFaultAt = performance.now()
      logOf().warn({ ...fault, err: cause }, 'cache store failed; the call continues without it')
    },
  }
}
