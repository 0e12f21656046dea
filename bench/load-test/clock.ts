/** Tells the time in ms and wakes at a moment of it, or soon after. */
export interface Clock {
  readonly now: () => number
  /** What comes back calls it off. */
  readonly at: (moment: number, wake: () => void) => () => void
}

/** The clock of this process. Node's timers are of whole milliseconds, so waking is up to 1 ms late. */
export const steadyClock: Clock = {
  now: () => performance.now(),
  at (moment, wake) {
    const timer = setTimeout(wake, Math.max(1, moment - performance.now()))
    return () => clearTimeout(timer)
  },
}
