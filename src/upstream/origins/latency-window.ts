import { median } from './median.ts'

/** The number of latencies of a window that are kept, the last ones. */
const kept = 32
/** The number of latencies from which their median is evidence. */
const leastKnown = 10

/** The latencies of one origin within a window of time. */
export class LatencyWindow {
  readonly #latencies: number[] = []
  #count = 0

  add(ms: number): void {
    this.#latencies[this.#count++ % kept] = ms
  }

  /** The median, in ms; `undefined` if there are fewer than 10 latencies. */
  get median(): number | undefined {
    return this.#count < leastKnown ? undefined : median(this.#latencies)
  }

  clear(): void {
    this.#latencies.length = this.#count = 0
  }
}

/** The number of origins with a median from which one of them can be an outlier. */
const leastOrigins = 3
/** An origin that is at most this much slower than the others is not an outlier, in ms. */
const leastDifference = 10

/**
 * Returns the members that were slow compared with the others, the slowest one first. A member counts by its median and
 * not by its mean: one slow operation of ten does not make an origin slow.
 *
 * @param ratio - A member is an outlier above this multiple of the median of the members.
 */
export function outliersOf<M extends { readonly window: LatencyWindow }>(members: readonly M[], ratio: number): M[] {
  const medians = members.flatMap(member => {
    const ms = member.window.median
    return ms === undefined ? [] : [{ member, ms }]
  })
  const usual = median(medians.map(({ ms }) => ms))
  if (usual === undefined || medians.length < leastOrigins) return []
  return medians
    .filter(({ ms }) => ms > usual * ratio && ms > usual + leastDifference)
    .sort((one, other) => other.ms - one.ms)
    .map(({ member }) => member)
}
