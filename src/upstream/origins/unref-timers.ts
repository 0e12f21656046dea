import type { Timers } from '../connect/happy-eyeballs.ts'

/** Timers that do not keep the process running. */
export const unrefTimers: Timers<NodeJS.Timeout> = {
  set: (onTimeout, ms) => setTimeout(onTimeout, ms).unref(),
  clear: clearTimeout,
}
