/** A median and its confidence interval. */
export interface ConfidenceInterval {
  readonly median: number
  readonly low: number
  readonly high: number
  /**
   * Confidence level: at least 0.95 for six values or more. With fewer values it is lower, and `low` and `high` are the
   * minimum and the maximum.
   */
  readonly confidence: number
  readonly count: number
}

/**
 * Returns the median of values and its 95 % confidence interval. The interval uses only the order of the values, so it
 * is valid for every distribution: the number of values below the true median has a binomial distribution with p = 0.5.
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

/**
 * Returns the number of values outside the interval at each end, and the probability that the true median is outside
 * the interval.
 */
function outermost(count: number) {
  let probability = 2 * 0.5 ** count
  let outside = probability
  let rank = 0
  // `outside` is 2 × P(X ≤ rank) for X ~ Binomial(count, 0.5). Each term is computed from the previous term.
  while (rank + 1 < count / 2) {
    probability *= (count - rank) / (rank + 1)
    if (outside + probability > 0.05) break
    outside += probability
    rank++
  }
  return { rank, outside }
}
