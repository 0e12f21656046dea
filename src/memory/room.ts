import type { MemoryMeter } from './meter.ts'

type Guard = Pick<MemoryMeter, 'claim' | 'hold'>

/** The meters of the apps that are open in this process. They read one memory, so one of them is enough. */
const guards: Guard[] = []

/** Lets a meter decide which bodies are taken and read. Returns a function that ends it. */
export function guardRoom(guard: Guard): () => void {
  guards.push(guard)
  return () => {
    const at = guards.indexOf(guard)
    if (at !== -1) guards.splice(at, 1)
  }
}

/** Returns whether the process has memory for a further part of a body. Where no app is open it is not looked at. */
export function hasMemoryFor(bytes: number): boolean {
  const guard = guards[0]
  return guard === undefined || guard.hold(bytes)
}

/**
 * Returns whether the heap has room for the parsed value of a body. Returns true where no app is open.
 * @param bytes the length of the body
 */
export function hasRoomFor(bytes: number): boolean {
  const guard = guards[0]
  return guard === undefined || guard.claim(bytes)
}
