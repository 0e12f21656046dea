import type { Measurement, Plan } from '../measure/measure.ts'
import type { settings } from '../workload/settings.ts'

/** All that a run leaves behind; `--json` prints it, and `--from` reads it. */
export interface Result {
  /** `YYYY-MM-DD`. */
  readonly date: string
  readonly node: string
  readonly cpu: string
  /** True when each process had a core of its own. */
  readonly pinned: boolean
  readonly settings: typeof settings
  readonly plan: Plan
  readonly measurement: Measurement
}

/** Says in one line where and how a result was measured. */
export function captionOf({ date, node, cpu, plan: { rounds, windowMs } }: Result): string {
  return `${date}, Node ${node}, ${cpu}; ${rounds} rounds of ${windowMs} ms`
}
