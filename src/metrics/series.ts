import type { Exemplar } from './series-table.ts'
import type { Family } from './family.ts'

/** The series of one family, to be read. A `SeriesTable` is one, and so is the sum of the tables of several processes. */
export interface Series {
  readonly family: Family
  /** The number of numbers of one series. */
  readonly width: number
  /** The text of the labels of each series, by slot. */
  readonly labels: readonly string[]
  /** The numbers of all series, as in `SeriesTable`. Do not keep a reference: a new slot may replace the array. */
  readonly values: Float64Array
  /** The last example of each bucket, by the index of its count in `values`. */
  readonly exemplars: readonly (Exemplar | undefined)[] | undefined
  /** Returns true if the series is rendered: a gauge, a series that has counted something, or one that is shown as 0. */
  isUsed(slot: number): boolean
}
