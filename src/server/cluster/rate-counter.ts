import type { RateCount } from '../../http/guard/shared-rate-store.ts'

export interface RateCounterOptions {
  /** The largest number of clients that are counted. Above it the least recent client is dropped. @default 50_000 */
  readonly clients?: number
  /** @default 60_000 */
  readonly windowMs?: number
  /** A clock in ms. @default performance.now() */
  readonly now?: () => number
}

/**
 * Counts the requests of clients, and the calls of their batches, for all workers, so that the limit of a client does
 * not depend on the number of workers.
 */
export function rateCounter({
  clients = 50_000,
  windowMs = 60_000,
  now = () => performance.now(),
}: RateCounterOptions = {}): (client: string, calls: number) => RateCount {
  /** The windows of the clients, the least recent client first. */
  const windows = new Map<string, { current: number; readonly since: number }>()
  return (client, calls) => {
    const at = now()
    const known = windows.get(client)
    const window = known !== undefined && at - known.since < windowMs ? known : { current: 0, since: at }
    window.current += calls
    windows.delete(client)
    windows.set(client, window)
    if (windows.size > clients) windows.delete(windows.keys().next().value as string)
    return { current: window.current, ttl: windowMs - (at - window.since) }
  }
}
