/** The smallest share: without a call, an origin would never show that it is fast. */
const leastShare = 0.1

/**
 * Returns the part of its weight that an origin has while it grows to its full share.
 *
 * @param age - The time since it joined or returned, in ms.
 * @param slowStart - The time over which it grows, in ms.
 */
export function startShare(age: number, slowStart: number): number {
  return age >= slowStart ? 1 : Math.max(leastShare, age / slowStart)
}
