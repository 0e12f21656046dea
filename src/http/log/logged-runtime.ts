import type { FastifyBaseLogger } from 'fastify'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'

const breakerMessages = {
  open: 'circuit breaker opened',
  'half-open': 'circuit breaker half-open',
  closed: 'circuit breaker closed',
} as const

/** Time between two log lines about faults of a cache store, in ms. A store that is down fails at every call. */
const storeFaultMs = 60_000

/**
 * Creates a runtime that logs each state change of a circuit breaker, each idle thread that exits, and faults of the
 * cache store.
 */
export function loggedRuntime(log: FastifyBaseLogger, options: RuntimeOptions): Runtime {
  let storeFaultAt = -Infinity
  return createRuntime({
    ...options,
    onBreakerChange: change => {
      log[change.to === 'open' ? 'warn' : 'info'](change, breakerMessages[change.to])
    },
    onThreadError: err => log.error({ err }, 'idle offload thread exited on an uncaught error'),
    onCacheStoreFault: ({ cause, ...fault }) => {
      if (performance.now() - storeFaultAt < storeFaultMs) return
      storeFaultAt = performance.now()
      log.warn({ ...fault, err: cause }, 'cache store failed; the call continues without it')
    },
  })
}
