/** Tells the time in ms and wakes at a moment of it, or soon after. */
export interface Clock {
  readonly now: () => number
  /** What comes back calls it off. */
  readonly at: (moment: number, wake: () => void) => () => void
}
