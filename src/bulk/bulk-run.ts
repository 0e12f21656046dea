/** The description of a run. It is written when all inputs are stored, and makes the run exist. */
export interface Manifest {
  readonly id: string
  readonly aggregate: string
  /** The digest of the caller's key. */
  readonly owner: string
  /** The number of inputs. */
  readonly items: number
  /** The upload that has the inputs. */
  readonly upload: string
  /** The digest of the inputs. */
  readonly digest: string
  /** The time of its creation, in ms since the epoch. */
  readonly createdAt: number
  /** The time for which the run is kept after its end, in ms. */
  readonly retention: number
}

/**
 * The state of a run. `running` and `paused` follow each other; `completed` and `cancelled` are ends. A run is created
 * as `running`.
 */
export type RunState = 'running' | 'paused' | 'completed' | 'cancelled'

/** The end of a run, which is written once. */
export interface RunEnd {
  readonly state: 'completed' | 'cancelled'
  /** In ms since the epoch. */
  readonly at: number
}

/** A run as its objects describe it. */
export interface BulkRun extends Manifest {
  readonly state: RunState
  /** The time of its end, in ms since the epoch; undefined for a run that has not ended. */
  readonly endedAt: number | undefined
}

/** Returns true if a run has ended. */
export function hasEnded({ state }: Pick<BulkRun, 'state'>): boolean {
  return state === 'completed' || state === 'cancelled'
}
