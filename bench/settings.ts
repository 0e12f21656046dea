/** What the service and both floors share, so that a ratio compares code and not configuration. */
export const settings = {
  /** Connections of the pool, and calls on the wire at once. */
  slots: 64,
  /** Calls that may wait for a slot. */
  queue: 4096,
  /** Calls of one fan-out at once. */
  width: 16,
} as const

/** Each is a file of this folder: it serves `/?n=5` and gets the upstream's origin as its argument. */
export const targetNames: readonly string[] = ['service', 'floor-request', 'floor-dispatch']
