import { rowLabel, usual } from '../../compare/workload/row.ts'
import type { MemoryRow } from './measure-peak.ts'
import type { CgroupSoak } from './soak-in-cgroup.ts'

export const limits = {
  /** Maximum of the peak at fan-out 20 with 32 callers and small bodies. */
  peakBytes: 150e6,
  /** Minimum ratio of the replies with status 200 in the soak. */
  whole: 0.999,
}

/** The row to which the limit of the peak applies. */
const limited = rowLabel({ ...usual, fanout: 20 })

/** Formats bytes in MB of 10^6 bytes. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

/** Returns one line for each exceeded limit, and for each row with other replies than 200. */
export function peakViolations(rows: readonly MemoryRow[]): string[] {
  return rows
    .filter(({ target }) => target === 'serve')
    .flatMap(({ row, peakBytes, non200 }) => [
      ...(rowLabel(row) !== limited || peakBytes <= limits.peakBytes
        ? []
        : [
            `the peak at fan-out ${rowLabel(row)} is ${megabytes(peakBytes)} MB, above ${megabytes(limits.peakBytes)} MB`,
          ]),
      ...(non200 === 0 ? [] : [`${non200} replies at fan-out ${rowLabel(row)} were not 200`]),
    ])
}

/** Returns one line for each violation of a soak. */
export function soakViolations({ hasEnded, kills, seconds, responses, non200 }: CgroupSoak): string[] {
  if (hasEnded || kills > 0)
    return [`the service ended after ${seconds.toFixed(0)} s; the memory limit killed ${kills} processes`]
  const whole = (responses - non200) / responses
  return whole >= limits.whole ? [] : [`${(whole * 100).toFixed(2)} % of the replies were 200, below 99.9 %`]
}
