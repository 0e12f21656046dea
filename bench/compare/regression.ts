/** Ratios of the service to the floor, by fan-out. */
export type Ratios = Readonly<Record<string, number>>

/** Maximum factor by which a ratio may exceed the committed one. */
export const tolerance = 1.15

/** Number of runs that must agree before a ratio counts as worse. */
export const runsNeeded = 3

/** Returns the fan-outs whose ratio was worse than the baseline in every run so far. */
export function regressions(baseline: Ratios, runs: readonly Ratios[]): string[] {
  return Object.entries(baseline)
    .filter(([fanout, ratio]) => runs.every(run => (run[fanout] ?? Infinity) > ratio * tolerance))
    .map(([fanout]) => fanout)
}
