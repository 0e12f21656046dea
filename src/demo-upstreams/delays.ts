import type { ServerResponse } from 'node:http'

/** Returns a keeper of answers that wait for their time. */
export function delays() {
  const timers = new Set<NodeJS.Timeout>()

  return {
    /** The number of answers that wait. */
    get pending() {
      return timers.size
    },

    /** Answers after the delay in milliseconds, at once when it is 0, and never when the client has gone by then. */
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

    /** Drops every answer that waits. */
    clear(): void {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
  }
}
