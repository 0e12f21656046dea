import type { Measurement, Plan } from '../measure/measure.ts'
import type { settings } from '../workload/settings.ts'

/** The result of a run. `--json` prints it, and `--from` reads it. */
export interface Result {
  /** The date of the run as `YYYY-MM-DD`. */
  readonly date: string
  readonly node: string
  readonly cpu: string
  /** True if the target was pinned to one core, and the upstream and the load to another core. */
  readonly pinned: boolean
  readonly settings: typeof settings
  readonly plan: Plan
  readonly measurement: Measurement
}

/** Returns one line that describes the machine and the settings of a result. */
export function captionOf({ date, node, cpu, plan: { rounds, windowMs } }: Result): string {
  return `${date}, Node ${node}, ${cpu}; ${rounds} rounds of ${windowMs} ms`
}
