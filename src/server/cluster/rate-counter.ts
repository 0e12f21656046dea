import type { RateCount } from '../../http/guard/shared-rate-store.ts'

export interface RateCounterOptions {
  /** Clients that are counted at once; of more, those that asked longest ago are forgotten. @default 50_000 */
  readonly clients?: number
  /** @default 60_000 */
  readonly windowMs?: number
  /** A clock in ms. @default that of performance.now() */
  readonly now?: () => number
}

/**
 * Counts the requests of clients for all workers, so that a client has the whole limit whichever of them it meets, and
 * no more.
 */
export function rateCounter({
  clients = 50_000,
  windowMs = 60_000,
  now = () => performance.now(),
}: RateCounterOptions = {}): (client: string) => RateCount {
  /** In the order in which they asked last. */
  const windows = new Map<string, { current: number; readonly since: number }>()
  return client => {
    const at = now()
    const known = windows.get(client)
    const window = known !== undefined && at - known.since < windowMs ? known : { current: 0, since: at }
    window.current++
    windows.delete(client)
    windows.set(client, window)
    if (windows.size > clients) windows.delete(windows.keys().next().value as string)
    return { current: window.current, ttl: windowMs - (at - window.since) }
  }
}
