import type { FastifyBaseLogger } from 'fastify'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'

const breakerMessages = {
  open: 'circuit breaker opened',
  'half-open': 'circuit breaker half-open',
  closed: 'circuit breaker closed',
} as const

/** Creates a runtime that logs each state change of a circuit breaker, and each idle thread that exits. */
export function loggedRuntime(log: FastifyBaseLogger, options: RuntimeOptions): Runtime {
  return createRuntime({
    ...options,
    onBreakerChange: change => {
      log[change.to === 'open' ? 'warn' : 'info'](change, breakerMessages[change.to])
    },
    onThreadError: err => log.error({ err }, 'idle offload thread exited on an uncaught error'),
  })
}
