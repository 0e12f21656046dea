import type { FastifyBaseLogger } from 'fastify'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../upstream/runtime.ts'

/**
 * Makes a runtime that tells the log when an upstream is given up for a while, when it has recovered, and when a thread
 * ended by itself.
 */
export function loggedRuntime(log: FastifyBaseLogger, options: RuntimeOptions): Runtime {
  return createRuntime({
    ...options,
    onBreakerChange: change => {
      if (change.to === 'open') log.warn(change, 'an upstream is not asked for a while: it has failed too often')
      else log.info(change, change.to === 'closed' ? 'an upstream has recovered' : 'an upstream is tried again')
    },
    onThreadError: err =>
      log.error({ err }, 'a thread ended that had nothing to do: something was thrown in it that nobody caught'),
  })
}
