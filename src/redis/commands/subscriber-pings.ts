import { ignoreRejection } from '../../core/promises.ts'

/** The time between two pings, in ms. It is shorter than a usual `socketTimeout`. */
const pingMs = 2000

/**
 * Sends pings on the connection for messages. With them the option `socketTimeout` of a client finds a connection that
 * was lost without being closed, and keeps one that has no messages.
 *
 * @returns A function that ends the pings.
 */
export function startPings(isReady: () => boolean, ping: () => Promise<unknown>): () => void {
  const timer = setInterval(() => {
    if (isReady()) ignoreRejection(ping())
  }, pingMs)
  timer.unref()
  return () => clearInterval(timer)
}
