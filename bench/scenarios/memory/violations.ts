import { rowLabel, usual } from '../../compare/workload/row.ts'
import type { MemoryRow } from './measure-peak.ts'
import type { CgroupSoak } from './soak-in-cgroup.ts'

export const limits = {
  /** Maximum of the peak at fan-out 20 with 32 callers and small bodies. */
  peakBytes: 150e6,
  /** Minimum ratio of the replies with status 200. */
  whole: 0.999,
}

/** The row to which the limit of the peak applies. */
const limited = rowLabel({ ...usual, fanout: 20 })

/** Formats bytes in MB of 10^6 bytes. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/**
 * Returns the violations of the row with the limit. Too few replies with 200 are one too, because a refusal needs less
 * memory than an answer.
 */
export function peakViolations(rows: readonly MemoryRow[]): string[] {
  return rows
    .filter(({ target, row }) => (target === 'serve' || target === 'package') && rowLabel(row) === limited)
    .flatMap(({ target, peakBytes, responses, non200 }) => [
      ...(peakBytes <= limits.peakBytes
        ? []
        : [
            `${target}: the peak at fan-out ${limited} is ${megabytes(peakBytes)} MB, above ${megabytes(limits.peakBytes)} MB`,
          ]),
      ...wholeViolations(responses, non200).map(text => `${target}: ${text}`),
    ])
}

function wholeViolations(responses: number, non200: number): string[] {
  const whole = (responses - non200) / responses
  return whole >= limits.whole ? [] : [`${(whole * 100).toFixed(2)} % of the replies were 200, below 99.9 %`]
}

/** Returns one line for each violation of a soak. */
export function soakViolations({ hasEnded, kills, seconds, responses, non200 }: CgroupSoak): string[] {
  if (hasEnded || kills > 0)
    return [`the service ended after ${seconds.toFixed(0)} s; the memory limit killed ${kills} processes`]
  return wholeViolations(responses, non200)
}
