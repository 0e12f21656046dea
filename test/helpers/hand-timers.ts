import type { Timers } from '../../src/dashboard/model/phase.ts'

/** Timers that run when the test lets time pass. */
export interface HandTimers extends Timers {
  /** Lets a time in ms pass; timers run in their order. */
  pass(ms: number): void
  /** The number of timers that are set. */
  readonly size: number
}

/** Creates timers that begin at a moment; `random` gives always one half. */
export function handTimers(start = 0): HandTimers {
  let now = start
  const due = new Map<() => void, number>()
  return {
    now: () => now,
    random: () => 0.5,
    after(ms, action) {
      const run = () => action()
      due.set(run, now + ms)
      return () => due.delete(run)
    },
    pass(ms) {
      const end = now + ms
      for (let next = earliest(due, end); next !== undefined; next = earliest(due, end)) {
        now = due.get(next) ?? now
        due.delete(next)
        next()
      }
      now = end
    },
    get size() {
      return due.size
    },
  }
}

function earliest(due: ReadonlyMap<() => void, number>, end: number): (() => void) | undefined {
  let found: (() => void) | undefined
  for (const [run, at] of due) if (at <= end && (found === undefined || at < (due.get(found) ?? 0))) found = run
  return found
}
