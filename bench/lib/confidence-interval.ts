/** A median and where the true one lies. */
export interface ConfidenceInterval {
  readonly median: number
  readonly low: number
  readonly high: number
  /** Confidence level: at least 0.95; less for fewer than six values, where low and high are the extremes. */
  readonly confidence: number
  readonly count: number
}

/**
 * The median and its 95 % interval, by the order of the values alone: whatever they are distributed like, the number of
 * values below the true median is that of heads among as many coins.
 */
export function medianInterval(values: readonly number[]): ConfidenceInterval {
  const sorted = values.toSorted((a, b) => a - b)
  const count = sorted.length
  const half = (count - 1) / 2
  const median = ((sorted[Math.floor(half)] ?? NaN) + (sorted[Math.ceil(half)] ?? NaN)) / 2
  const { rank, outside } = outermost(count)
  return {
    median,
    low: sorted[rank] ?? NaN,
    high: sorted[count - 1 - rank] ?? NaN,
    confidence: count === 0 ? 0 : 1 - outside,
    count,
  }
}

/** Returns the number of values outside the interval at each end, and the probability of the true median there. */
function outermost(count: number) {
  let probability = 2 * 0.5 ** count
  let outside = probability
  let rank = 0
  // P(heads ≤ rank) at both ends; each next term follows from the one before.
  while (rank + 1 < count / 2) {
    probability *= (count - rank) / (rank + 1)
    if (outside + probability > 0.05) break
    outside += probability
    rank++
  }
  return { rank, outside }
}
