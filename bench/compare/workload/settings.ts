/** What every target shares, so that a ratio compares code and not configuration. */
export const settings = {
  /** Connections of the pool, and calls on the wire at once. */
  concurrency: 64,
  /** Calls that may wait for a slot. */
  maxQueue: 4096,
  /** Calls of one fan-out at once. */
  stepConcurrency: 16,
  /** By when a fan-out must have its answer, in ms; a floor has no deadline. */
  deadlineMs: 2000,
} as const
