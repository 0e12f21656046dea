/** The declaration of a metric family: one name, its labels, and one series per combination of their values. */
export interface Family {
  /** The name in the text format of Prometheus, with its unit. The name of a counter ends with `_total`. */
  readonly name: string
  /** One sentence about the family. */
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  /** The upper bounds of the buckets of a histogram, in ascending order, without `+Inf`. */
  readonly buckets?: readonly number[]
  /** The value of a series of several processes: the sum of their values, or the largest one. @default 'sum' */
  readonly merge?: 'sum' | 'max'
  /**
   * True if the values are counted elsewhere and are read when the metrics are collected. The table of the family is
   * reset before.
   * @default false
   */
  readonly isRead?: boolean
}

/**
 * The buckets of durations, in seconds. The semantic conventions of OpenTelemetry advise them for the durations of HTTP
 * requests.
 */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const

/** Adds combinations of label values of a family. */
export type Add = (family: Family, combinations: number) => void
