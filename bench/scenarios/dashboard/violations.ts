import { medianInterval, type ConfidenceInterval } from '../../lib/confidence-interval.ts'

/** The limit on the CPU time of the service with a reader, as a multiple of that without one. */
export const limit = 1.05

/** The number of events per second below which the reader did not follow the service. Samples alone are two. */
const leastEvents = 1.5

/** Two windows of the same load, one after the other: CPU time of the service per run, in µs. */
export interface Pair {
  readonly without: number
  readonly withReader: number
  /** The events per second that the reader received. */
  readonly events: number
}

/** Returns the ratio of the CPU times, with its 95 % interval. */
export function ratioOf(pairs: readonly Pair[]): ConfidenceInterval {
  return medianInterval(pairs.map(({ without, withReader }) => withReader / without))
}

/** Returns a sentence per limit that the pairs do not keep. */
export function violationsOf(pairs: readonly Pair[]): string[] {
  const { median } = ratioOf(pairs)
  const { median: events } = medianInterval(pairs.map(pair => pair.events))
  return [
    ...(median <= limit ? [] : [`with a reader a run costs ${median.toFixed(3)} of the CPU time, not ${limit}`]),
    ...(events >= leastEvents
      ? []
      : [`the reader received ${events.toFixed(1)} events per second, not ${leastEvents}`]),
  ]
}
