import type { Clock } from '../../../../src/commands/load/clock.ts'

/** A clock that goes when the test says so, and wakes whoever asked for it at exactly that moment. */
export interface VirtualClock extends Clock {
  passTo(moment: number): void
  /** How many wait to be woken. */
  readonly asked: number
}

export function virtualClock(): VirtualClock {
  let now = 0
  const asked = new Set<{ readonly moment: number; readonly wake: () => void }>()
  return {
    now: () => now,
    at(moment, wake) {
      const entry = { moment, wake }
      asked.add(entry)
      return () => {
        asked.delete(entry)
      }
    },
    get asked() {
      return asked.size
    },
    passTo(moment) {
      for (;;) {
        const [next] = [...asked].sort((a, b) => a.moment - b.moment)
        if (next === undefined || next.moment > moment) break
        asked.delete(next)
        now = Math.max(now, next.moment)
        next.wake()
      }
      now = moment
    },
  }
}
