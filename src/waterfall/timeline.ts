import type { KeptCall, KeptRun } from './kept-run.ts'

/** The times of a run, of one that has ended or of one in progress. All times are in ms from the start of the run. */
export interface Timeline {
  /** The end of the run; the present moment for a run in progress. */
  readonly end: number
  readonly deadline: number
  readonly steps: readonly TimedStep[]
}

/** The times of one step and of its calls. */
export interface TimedStep {
  readonly name: string
  readonly kind: string
  /** The names of the steps whose values the step takes. */
  readonly needs: readonly string[]
  readonly state: string
  readonly code: string | null
  /** The start of the step; `null` if it did not start. */
  readonly start: number | null
  /** The end of the step; `null` while it runs, and if it did not start. */
  readonly end: number | null
  /** The rehearsed fault; `null` without one. */
  readonly fault: string | null
  readonly calls: readonly KeptCall[]
}

/** Returns the times of a kept run. */
export function timelineOf({ ms, deadline, steps }: Pick<KeptRun, 'ms' | 'deadline' | 'steps'>): Timeline {
  return {
    end: ms,
    deadline,
    steps: steps.map(({ name, kind, needs, outcome: { state, code, start, ms: length, fault }, calls }) => ({
      name,
      kind,
      needs,
      state,
      code,
      start,
      end: start === null ? null : start + length,
      fault,
      calls,
    })),
  }
}
