/** The time between two points, in ms. */
export const pointMs = 500

/** The number of points: those of two minutes. */
export const points = 240

/**
 * The points of one value over the last two minutes, in a ring. A value that is not known is NaN. Points are addressed
 * by their number, which is the time since 1970 in points.
 */
export class PointRing {
  readonly #values = new Float32Array(points)

  /** @param unknown - The value of the points before the first sample. @default 0 */
  constructor(unknown = 0) {
    if (unknown !== 0) this.#values.fill(unknown)
  }

  /** Sets the points from `from` on to `to`. */
  set(from: number, to: number, value: number): void {
    for (let point = Math.max(from, to - points + 1); point <= to; point++) this.#values[point % points] = value
  }

  /** Adds to a point. */
  add(point: number, value: number): void {
    this.#values[point % points] = (this.#values[point % points] as number) + value
  }

  /** Returns the points up to the last one, the oldest first. */
  until(last: number): Float32Array {
    const first = (last + 1) % points
    const values = new Float32Array(points)
    values.set(this.#values.subarray(first))
    values.set(this.#values.subarray(0, first), points - first)
    return values
  }
}

/** The points that a sample covers. */
export interface PointRange {
  readonly from: number
  readonly to: number
}

/** The points of samples. Two samples of one point are added to it, and a late sample is spread over its points. */
export class PointClock {
  #last: number

  /** @param at - The moment of the first sample, in ms since 1970. */
  constructor(at: number) {
    this.#last = pointOf(at)
  }

  /** The number of the last point. */
  get last(): number {
    return this.#last
  }

  /** The moment of the oldest point, in ms since 1970. */
  get from(): number {
    return (this.#last - points + 1) * pointMs
  }

  /** Moves to a moment, and returns the points since the last one; `undefined` if it is in the last point. */
  advance(at: number): PointRange | undefined {
    const to = pointOf(at)
    if (to <= this.#last) return undefined
    const from = this.#last + 1
    this.#last = to
    return { from, to }
  }
}

/** Returns the number of the point of a moment. A timer may be late by a part of a point. */
function pointOf(at: number): number {
  return Math.floor(at / pointMs)
}

/** Points of several values with names, which are counts or present values. */
export class Points<Name extends string> {
  readonly #rings: Readonly<Record<Name, PointRing>>
  readonly #names: readonly Name[]

  constructor(names: readonly Name[], unknown: Partial<Record<Name, number>> = {}) {
    this.#names = names
    this.#rings = Object.fromEntries(names.map(name => [name, new PointRing(unknown[name])])) as Record<Name, PointRing>
  }

  /**
   * Writes a sample.
   *
   * @param range - The points of the sample; `undefined` for a further sample of the last point.
   * @param counts - Values that are spread over the points, and added to a point that has values.
   * @param values - Values that each point gets.
   */
  write(
    range: PointRange | undefined,
    last: number,
    counts: Partial<Record<Name, number>>,
    values: Partial<Record<Name, number>>,
  ): void {
    for (const name of this.#names) {
      const ring = this.#rings[name]
      const count = counts[name]
      if (count !== undefined) {
        if (range === undefined) ring.add(last, count)
        else ring.set(range.from, range.to, count / (range.to - range.from + 1))
      } else {
        const value = values[name]
        if (value !== undefined) ring.set(range?.from ?? last, last, value)
      }
    }
  }

  /** Returns the points of a value up to the last one, the oldest first. */
  until(last: number, name: Name): Float32Array {
    return this.#rings[name].until(last)
  }
}
