import { setImmediate } from 'node:timers/promises'

/** Lets everything that is already decided happen: all microtasks, and the callbacks of one turn of the event loop. */
export function turn (): Promise<void> {
  return setImmediate()
}
