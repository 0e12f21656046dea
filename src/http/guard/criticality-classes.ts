import type { Criticality } from '../../fanout/route.ts'

/** The order in which classes are refused. */
export const ranks: Readonly<Record<Criticality, number>> = { low: 0, normal: 1, high: 2 }
/** The class below the lowest one: no request is refused, and optional steps run. */
export const calm = -1

/** A class without a request for this time counts as absent, in ms. */
const absentMs = 1000

/** The classes of requests that arrive at the service. */
export class CriticalityClasses {
  /** The time of the last request of each class, by its rank. */
  readonly #seenAt = [-Infinity, -Infinity, -Infinity]

  /** Records a request. */
  see(rank: number, now: number): void {
    this.#seenAt[rank] = now
  }

  /** Returns the rank of the lowest present class from `rank` on, or `undefined` if all of them are absent. */
  presentFrom(rank: number, now: number): number | undefined {
    for (; rank <= ranks.high; rank++) if (this.#isPresent(rank, now)) return rank
    return undefined
  }

  /** Returns the rank of the highest class below `rank` that is present, or `calm`. */
  presentBelow(rank: number, now: number): number {
    for (rank--; rank > calm; rank--) if (this.#isPresent(rank, now)) break
    return rank
  }

  #isPresent(rank: number, now: number): boolean {
    return now - (this.#seenAt[rank] as number) < absentMs
  }
}
