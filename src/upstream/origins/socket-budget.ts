import type { PoolSockets } from '../transport/pool.ts'

/** A limit on the sockets of several pools together. */
export interface SocketBudget {
  /**
   * Returns true if a pool may open a socket. If the limit is reached and `mayClose` is true, the longest idle socket
   * of another pool is closed for it.
   */
  readonly mayOpen: (own: PoolSockets, mayClose: boolean) => boolean
}

/**
 * Creates a limit on the sockets of all origins of an upstream.
 *
 * A pool without a socket may exceed the limit: the requests in its queue are assigned when one of its own sockets
 * becomes idle, so without any socket they would wait forever.
 *
 * @param limit - The limit on the sockets of all pools.
 * @param pools - Returns the sockets of each pool.
 */
export function createSocketBudget(limit: number, pools: () => Iterable<PoolSockets>): SocketBudget {
  return {
    mayOpen(own, mayClose) {
      let count = 0
      let longest: PoolSockets | undefined
      let idleSince = Infinity
      for (const pool of pools()) {
        count += pool.count()
        const since = pool === own ? Infinity : pool.idleSince()
        if (since >= idleSince) continue
        longest = pool
        idleSince = since
      }
      if (count < limit) return true
      if (!mayClose || longest === undefined) return own.count() === 0
      longest.closeIdle()
      return true
    },
  }
}
