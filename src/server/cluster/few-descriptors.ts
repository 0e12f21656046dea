import type { FastifyBaseLogger } from 'fastify'

/** Time between two log lines about file descriptors, in ms. */
const logEvery = 10_000

/** Returns a function that logs, at most once in 10 s, that few descriptors are left of a limit. */
export function fewDescriptorsLog(log: FastifyBaseLogger): (limit: number) => void {
  let loggedAt = Number.NEGATIVE_INFINITY
  return limit => {
    const now = performance.now()
    if (now - loggedAt < logEvery) return
    loggedAt = now
    log.warn(
      { limit },
      'few file descriptors are left in the primary: new connections wait, and are closed when no descriptor is ' +
        'left; raise the limit (ulimit -n)',
    )
  }
}
