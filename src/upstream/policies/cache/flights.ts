import type { Effort } from '../../call/attempt.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { FoundGeneration } from './entry.ts'
import type { CacheStore } from './store.ts'

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

/** The calls of a cache that are in flight. */
export interface Flights {
  /** Joins the flight of a key, or begins one. Called before the call is sent. */
  join(key: string, call: LiveCall<unknown>, began: Began): Flight
  /**
   * Returns the keys for the calls below the cache. If other processes can change the URI, the key contains the
   * generation that the call has found, so no call joins a flight from before a change.
   */
  flightKey(keyOf: (call: LiveCall<unknown>) => string): (call: LiveCall<unknown>) => string
}

/**
 * Counts the calls in flight per key. Below a cache, equal calls share one answer. It may have been requested long
 * before the last of these calls, so the state of the first call applies to all.
 */
export function createFlights(storage: CacheStore['storage']): Flights {
  const flights = new Map<string, Flight & { calls: number }>()
  /** The generations that calls have found. The effort is the part of a call that a condition does not change. */
  const found = new WeakMap<Effort, FoundGeneration>()
  // Another process changes only a store outside of this one. Changes by this process end flights at once.
  const isShared = storage === 'bodies'

  return {
    join(key, call, began) {
      if (isShared) found.set(call.effort, began.generation)
      const name = isShared ? withGeneration(key, began.generation) : key
      let flight = flights.get(name)
      if (flight === undefined) {
        const started = {
          began,
          calls: 0,
          leave() {
            if (--started.calls === 0) flights.delete(name)
          },
        }
        flights.set(name, (flight = started))
      }
      flight.calls++
      return flight
    },
    flightKey: keyOf => (isShared ? call => withGeneration(keyOf(call), found.get(call.effort)) : keyOf),
  }
}

/** Returns a key that differs for each generation, `undefined` and `null` included. */
function withGeneration(key: string, generation: FoundGeneration): string {
  return `${JSON.stringify(generation)}${key}`
}
