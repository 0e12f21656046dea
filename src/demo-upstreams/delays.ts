import type { ServerResponse } from 'node:http'

/** Creates a queue of delayed answers. */
export function delays() {
  const timers = new Set<NodeJS.Timeout>()

  return {
    /** The number of delayed answers. */
    get pending() {
      return timers.size
    },

    /**
     * Calls `answer` after a delay in milliseconds, or at once for 0. It is not called if the client closes the
     * connection before.
     */
    later(res: ServerResponse, delayMs: number, answer: () => void): void {
      if (delayMs <= 0) {
        answer()
        return
      }
      const timer = setTimeout(function due() {
        timers.delete(timer)
        answer()
      }, delayMs)
      timers.add(timer)
      res.once('close', function gone() {
        clearTimeout(timer)
        timers.delete(timer)
      })
    },

    /** Drops every delayed answer. */
    clear(): void {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
