/** What every target shares, so that a ratio compares code and not configuration. */
export const settings = {
  /** Connections of the pool, and calls on the wire at once. */
  slots: 64,
  /** Calls that may wait for a slot. */
  queue: 4096,
  /** Calls of one fan-out at once. */
  width: 16,
  /** By when a fan-out must have its answer, in ms; a floor has no deadline. */
  deadlineMs: 2000,
} as const
