import type { Clock } from '../../../../src/commands/load/clock.ts'

/** A clock that the test advances; each timer fires at exactly its moment. */
export interface VirtualClock extends Clock {
  passTo(moment: number): void
  /** Number of pending timers. */
  readonly pending: number
}

export function virtualClock(): VirtualClock {
  let now = 0
  const timers = new Set<{ readonly moment: number; readonly callback: () => void }>()
  return {
    now: () => now,
    wakeAt(moment, callback) {
      const timer = { moment, callback }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    get pending() {
      return timers.size
    },
    passTo(moment) {
      for (;;) {
        const [next] = [...timers].sort((a, b) => a.moment - b.moment)
        if (next === undefined || next.moment > moment) break
        timers.delete(next)
        now = Math.max(now, next.moment)
        next.callback()
      }
      now = moment
    },
  }
}
