import type { MemoryMeter } from './meter.ts'

type Guard = Pick<MemoryMeter, 'claim' | 'hold'>

/**
 * The meters of the apps that are open in this process. All of them measure the same memory, so only the first one is
 * used.
 */
const guards: Guard[] = []

/** Adds a meter, which decides which bodies are received and parsed. Returns a function that removes the meter. */
export function guardRoom(guard: Guard): () => void {
  guards.push(guard)
  return () => {
    const at = guards.indexOf(guard)
    if (at !== -1) guards.splice(at, 1)
  }
}

/** Returns whether the process has memory for a further part of a body. Returns true if no app is open. */
export function hasMemoryFor(bytes: number): boolean {
  const guard = guards[0]
  return guard === undefined || guard.hold(bytes)
}

/**
 * Returns whether the heap has room for the parsed value of a body. Returns true if no app is open.
 * @param bytes the length of the body
 */
export function hasRoomFor(bytes: number): boolean {
  const guard = guards[0]
  return guard === undefined || guard.claim(bytes)
}
