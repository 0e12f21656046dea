import { setImmediate } from 'node:timers/promises'

/** Lets everything that is already decided happen: all microtasks, and the callbacks of one turn of the event loop. */
export function turn(): Promise<void> {
  return setImmediate()
}

/** Lets connections rest: whatever has been used so far can be used again afterwards. */
export async function rest(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn()
}
