import type { FoundGeneration } from './entry.ts'

/** The state when a call was sent. */
export interface Began {
  readonly requestedAt: number
  /** The generation of the URI that was read before. */
  readonly generation: FoundGeneration
}

/** The calls of one key that are under way together. */
export interface Flight {
  /** The state when the first of them was sent. */
  readonly began: Began
  leave(): void
}

/** The flights of a cache, by key. */
export interface Flights {
  join(key: string, began: Began): Flight
}

/**
 * Counts the calls that are under way by key. Below a cache equal calls share one answer, which may have been requested
 * long before the last of them: what the first one knew is true of all.
 */
export function createFlights(): Flights {
  const flights = new Map<string, Flight & { calls: number }>()
  return {
    join(key, began) {
      let flight = flights.get(key)
      if (flight === undefined) {
        const started = {
          began,
          calls: 0,
          leave() {
            if (--started.calls === 0) flights.delete(key)
          },
        }
        flights.set(key, (flight = started))
      }
      flight.calls++
      return flight
    },
  }
}
