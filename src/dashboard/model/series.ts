/** The number of points of each series: two minutes of samples of 500 ms. */
export const points = 240

/**
 * The values of the last two minutes, oldest first; `NaN` is a point without a value. The array is allocated once and
 * its values move by one place per sample, so a chart can keep it.
 */
export type Series = Float64Array<ArrayBuffer>

/** Creates a series in which each point has the same value. */
export const createSeries = (value: number): Series => new Float64Array(points).fill(value)

/** Adds the newest value and drops the oldest. */
export function push(series: Series, value: number): void {
  series.copyWithin(0, 1)
  series[points - 1] = value
}

/** Returns the sum of the newest values. */
export function sumOfLast(series: Series, count: number): number {
  let sum = 0
  for (let at = points - count; at < points; at++) sum += series[at] as number
  return sum
}

/** The moments of the points of a history. */
export interface Grid {
  /** The moment of the first point, in ms since 1970. */
  readonly from: number
  /** The time between two points, in ms. */
  readonly every: number
}

/**
 * Fills a series with the counts of a history whose points may be further apart than those of the series. A count is
 * divided among the points of the series that it covers. Points after the end of the history keep their counts: samples
 * may arrive while the history is on its way.
 */
export function fillCounts(series: Series, times: Series, counts: readonly number[], { from, every }: Grid): void {
  const share = Math.min(1, ((times[1] as number) - (times[0] as number)) / every)
  for (let at = 0; at < points; at++) {
    const index = indexAt(times[at] as number, from, every)
    if (index < counts.length) series[at] = (counts[index] ?? 0) * share
  }
}

/** Fills a series with the values of a history. A point before it becomes `NaN`; a point after it keeps its value. */
export function fillValues(
  series: Series,
  times: Series,
  values: readonly (number | null)[],
  { from, every }: Grid,
): void {
  for (let at = 0; at < points; at++) {
    const index = indexAt(times[at] as number, from, every)
    if (index < values.length) series[at] = values[index] ?? NaN
  }
}

// A point of a history covers the time before it, so a moment between two points belongs to the later one.
const indexAt = (time: number, from: number, every: number) => Math.ceil((time - from) / every - 0.01)
