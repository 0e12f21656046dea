import type { FastifyBaseLogger } from 'fastify'
import type { OnEvent, RunEvent } from '../../fanout/events.ts'

/** The time between two log lines about errors of a listener, in ms. A faulty listener fails at every event. */
const reportMs = 60_000

/**
 * Returns a listener that logs the errors of another listener, so that they do not change a reply.
 *
 * @param now - A clock in ms.
 */
export function safeListener(log: FastifyBaseLogger, onEvent: OnEvent, now = () => performance.now()): OnEvent {
  let reportedAt = -Infinity
  const report = (event: RunEvent, err: unknown) => {
    const at = now()
    if (at - reportedAt < reportMs) return
    reportedAt = at
    log.error({ err, event: event.type, aggregate: event.run.aggregate }, 'onEvent failed; the reply does not change')
  }
  return event => {
    try {
      const returned: unknown = onEvent(event)
      if (returned !== undefined) Promise.resolve(returned).catch((error: unknown) => report(event, error))
    } catch (error) {
      report(event, error)
    }
  }
}
