import type { ChildServer } from '../lib/child.ts'
import type { Target, TargetSpec } from './targets.ts'
import type { Row } from './workload/row.ts'

/** The requests that all callers send. */
export interface Inbound {
  readonly path: string | readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** One task that every target performs. */
export interface Case {
  /** Every target by name. */
  readonly specs: Readonly<Record<string, TargetSpec>>
  /** The default targets. The first target is compared with each other target. */
  readonly targets: readonly string[]
  /** The default rows. */
  readonly rows: string
  readonly inbound: (fanout: number) => Inbound
  /** Rejects if a target does not perform the complete task. */
  readonly check: (target: Target, upstream: ChildServer, row: Row) => Promise<void>
}
