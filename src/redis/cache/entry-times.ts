import type { Clock, Fetched } from '../../upstream/policies/cache/entry.ts'

/** The times of an entry. */
type Times = Pick<Fetched, 'requestedAt' | 'receivedAt'>

/** An entry whose wall clock is ahead by more than this time is not used, in ms. */
const maxAheadMs = 1000

/**
 * Returns an entry with times of the wall clock. The steady clock of a process keeps the error that the wall clock had
 * when the process started, so replicas must not compare their steady clocks.
 */
export function toWallTimes<T extends Times>(entry: T, clock: Clock): T {
  return moved(entry, clock.wall() - clock.steady())
}

/**
 * Returns a stored entry with times of the steady clock of this process; `undefined` for an entry from the future. A
 * value that is not an entry is returned as it is.
 */
export function toSteadyTimes(stored: unknown, clock: Clock): unknown {
  if (!hasTimes(stored)) return stored
  const wall = clock.wall()
  return stored.receivedAt > wall + maxAheadMs ? undefined : moved(stored, clock.steady() - wall)
}

function moved<T extends Times>(entry: T, ms: number): T {
  return { ...entry, requestedAt: entry.requestedAt + ms, receivedAt: entry.receivedAt + ms }
}

function hasTimes(stored: unknown): stored is Times {
  if (typeof stored !== 'object' || stored === null) return false
  const { requestedAt, receivedAt } = stored as Partial<Times>
  return typeof requestedAt === 'number' && typeof receivedAt === 'number'
}
