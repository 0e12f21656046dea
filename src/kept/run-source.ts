import type { KeptRun, RunList, RunState } from '../waterfall/kept-run.ts'

/** The conditions of a list of kept runs. A run is in the list if it meets all of them. */
export interface RunFilter {
  /** The states of the runs. @default every state */
  readonly states?: readonly RunState[] | undefined
  /** The name of the aggregate. @default every aggregate */
  readonly aggregate?: string | undefined
  /** The name of an upstream that the run called. @default every upstream */
  readonly upstream?: string | undefined
  /** The request id, or the id of the run. @default every request */
  readonly request?: string | undefined
  /** The id of the trace. @default every trace */
  readonly trace?: string | undefined
  /** The number of the worker. @default every worker */
  readonly worker?: number | undefined
  /** The shortest duration, in ms. @default 0 */
  readonly min?: number | undefined
  /** `next` of the list before this one: only older runs are in the list. @default the newest runs first */
  readonly before?: string | undefined
  /** The largest number of runs in the list. */
  readonly limit: number
}

/** Reads the kept runs of a service: of this process, or of all workers. */
export interface RunSource {
  /** Returns a kept run, or `undefined` if no process has it. */
  find(id: string): Promise<KeptRun | undefined>
  /** Returns the kept runs that meet the conditions, the newest first. */
  list(filter: RunFilter): Promise<RunList>
}
