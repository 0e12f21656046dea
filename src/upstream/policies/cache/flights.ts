import type { FoundGeneration } from './entry.ts'

/** The state when a call was sent. */
export interface Began {
  readonly requestedAt: number
  /** The generation of the URI, which was read before the call was sent. */
  readonly generation: FoundGeneration
}

/** The calls of one key that are in flight together. */
export interface Flight {
  /** The state when the first call of the flight was sent. */
  readonly began: Began
  leave(): void
}

/** The flights of a cache, by key. */
export interface Flights {
  join(key: string, began: Began): Flight
}

/**
 * Counts the calls in flight per key. Below a cache, equal calls share one answer. It may have been requested long
 * before the last of these calls, so the state of the first call applies to all.
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
