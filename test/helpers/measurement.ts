import { caseOf } from '../../bench/compare/cases.ts'
import type { Measurement } from '../../bench/compare/measure/measure.ts'
import { readRows, usual } from '../../bench/compare/workload/row.ts'
import type { Window } from '../../bench/compare/measure/window.ts'

/** A window of a target in a round, in which nothing but the CPU time of a call is of interest. */
export function windowOf(target: string, fanout: number, round: number, cpuMicrosPerCall: number): Window {
  return {
    target,
    fanout,
    round,
    cpuMicrosPerCall,
    callsPerSecond: 1000,
    p50Ms: 1,
    p99Ms: 2,
    busy: 0.99,
    peakBytes: 100 * 2 ** 20,
    stallMs: target === 'go' ? null : 10 + round,
    foreign: null,
    non200: 0,
  }
}

const kinds = { ...caseOf('app').specs, ...caseOf('serve').specs }

/**
 * A measurement of such rows in which the calls of each target cost so many µs, times one hundredth more in each next
 * round of all.
 */
export function measurementOf(costs: Readonly<Record<string, number>>, rows: string, rounds: number): Measurement {
  const names = Object.keys(costs)
  return {
    targets: names,
    labels: Object.fromEntries(names.flatMap(name => (kinds[name] === undefined ? [] : [[name, kinds[name].label]]))),
    idleBytes: Object.fromEntries(names.map(name => [name, 40 * 2 ** 20])),
    rows: readRows(rows, usual).map(row => ({
      row,
      windows: Object.entries(costs).flatMap(([name, micros]) =>
        Array.from({ length: rounds }, (_, round) => windowOf(name, row.fanout, round, micros * (1 + round / 100))),
      ),
      dropped: [],
    })),
  }
}
