import type { MemoryMeter } from './meter.ts'

/** The meters of the apps that are open in this process. They read one heap, so one of them is enough. */
const meters: Pick<MemoryMeter, 'claim'>[] = []

/** Lets a meter decide which bodies are read. Returns a function that ends it. */
export function guardRoom (meter: Pick<MemoryMeter, 'claim'>): () => void {
  meters.push(meter)
  return () => {
    const at = meters.indexOf(meter)
    if (at !== -1) meters.splice(at, 1)
  }
}

/** Returns whether the heap has room for a body of so many bytes. Where no app is open it is not looked at. */
export function hasRoomFor (bytes: number): boolean {
  const meter = meters[0]
  return meter === undefined || meter.claim(bytes)
}
