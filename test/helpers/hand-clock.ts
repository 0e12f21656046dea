import type { Clock } from '../../src/upstream/policies/cache/entry.ts'

/** A clock that goes when the test says so. */
export interface HandClock extends Clock {
  /** Lets so many ms pass. */
  pass(ms: number): void
}

export function handClock(start = Date.parse('2026-03-01T12:00:00Z')): HandClock {
  let now = start
  return {
    wall: () => now,
    steady: () => now,
    pass: ms => {
      now += ms
    },
  }
}
