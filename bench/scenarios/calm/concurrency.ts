/**
 * Concurrency of the upstream, and connections of the floor: above the 80 calls of four callers with 20 calls each, so
 * that no call waits for a permit.
 */
export const calmConcurrency = 100
