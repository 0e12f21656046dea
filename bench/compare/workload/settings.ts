/** Settings that all targets share, so that a ratio compares code and not configuration. */
export const settings = {
  /** Connections of the pool, and calls in flight at most. */
  concurrency: 64,
  /** Calls that may wait for a permit. */
  maxQueue: 4096,
  /** Calls of one fan-out in flight at most. */
  stepConcurrency: 16,
  /** Deadline of a fan-out, in ms; a floor has none. */
  deadlineMs: 2000,
} as const
