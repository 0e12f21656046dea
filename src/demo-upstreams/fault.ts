import { fraction } from './fraction.ts'
import { hash } from './hash.ts'

/** The kinds of faults of a demo upstream. */
export const faultKinds = ['reset', 'error', 'unavailable', 'broken-json', 'wrong-shape', 'slow'] as const

/** One kind of fault. */
export type FaultKind = (typeof faultKinds)[number]

/** Tells how the request of this number goes wrong at this rate (0 to 1), in one of these ways, or that it does not. */
export function fault(
  seed: number,
  number: number,
  rate: number,
  kinds: readonly FaultKind[] = faultKinds,
): FaultKind | undefined {
  if (fraction(hash(seed, 3), number) >= rate) return undefined
  return kinds[hash(hash(seed, 4), number) % kinds.length]
}
