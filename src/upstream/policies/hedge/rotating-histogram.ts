/** The number of buckets per doubling. A percentile is at most 1/16 above the true value. */
const perOctave = 16
/** The number of doublings: from 1/16 ms to about 18 hours. */
const octaves = 30
const least = 1 / 16

/**
 * A histogram of latencies with logarithmic buckets. It contains the present time span and the previous one. A
 * percentile is the upper bound of its bucket, so it is never below the true value.
 */
export class RotatingHistogram {
  readonly #spanMs: number
  readonly #now: () => number
  #counts = new Uint32Array(perOctave * octaves)
  #before = new Uint32Array(perOctave * octaves)
  #size = 0
  #sizeBefore = 0
  #turnAt: number

  constructor(spanMs: number, now: () => number) {
    this.#spanMs = spanMs
    this.#now = now
    this.#turnAt = now() + spanMs
  }

  add(ms: number): void {
    this.#turn()
    const at = bucketOf(ms)
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#size++
  }

  /** The number of recorded latencies. */
  get size(): number {
    this.#turn()
    return this.#size + this.#sizeBefore
  }

  /** Returns the time in ms within which a share of the calls (0 to 1) has ended. */
  percentile(share: number): number {
    // The number of calls that may take longer. The small addend corrects rounding: a tenth of ten must be one.
    let above = Math.floor(this.size * (1 - share) + 1e-9)
    for (let at = perOctave * octaves - 1; at >= 0; at--) {
      above -= (this.#counts[at] as number) + (this.#before[at] as number)
      if (above < 0) return upperBound(at)
    }
    return least
  }

  #turn(): void {
    const now = this.#now()
    if (now < this.#turnAt) return
    const emptied = this.#before.fill(0)
    this.#before = this.#counts
    this.#sizeBefore = this.#size
    this.#counts = emptied
    this.#size = 0
    // After a long pause the latencies of the last span are too old, too.
    if (now >= this.#turnAt + this.#spanMs) {
      this.#before.fill(0)
      this.#sizeBefore = 0
    }
    this.#turnAt = now + this.#spanMs
  }
}

function bucketOf(ms: number): number {
  return Math.min(perOctave * octaves - 1, Math.max(0, Math.floor(Math.log2(ms / least) * perOctave)))
}

function upperBound(bucket: number): number {
  return least * 2 ** ((bucket + 1) / perOctave)
}
