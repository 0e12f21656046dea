/** Settings that all targets share, so that a ratio compares code and not configuration. */
export const settings = {
  /** Number of connections of the pool, and maximum number of calls in flight. */
  concurrency: 64,
  /** Maximum number of calls that wait for a permit. */
  maxQueue: 4096,
  /** Maximum number of calls of one fan-out in flight. */
  stepConcurrency: 16,
  /** Deadline of a fan-out, in ms. The floors have no deadline. */
  deadlineMs: 2000,
} as const
