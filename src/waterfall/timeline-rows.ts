import { type Bar, barsOfCall, barsOfStep } from './bars.ts'
import type { KeptCall, KeptMark } from './kept-run.ts'
import type { TimedStep, Timeline } from './timeline.ts'

/** A row of a waterfall: a step, or a call of the step above it. */
export type TimelineRow = StepRow | CallRow

interface RowOf {
  /** The bars, in the order in which they are painted. */
  readonly bars: readonly Bar[]
  /** The number of lanes that the bars need, at least 1. */
  readonly lanes: number
  /** The moments at which something was not done. */
  readonly marks: readonly KeptMark[]
}

export interface StepRow extends RowOf {
  readonly type: 'step'
  readonly step: TimedStep
}

export interface CallRow extends RowOf {
  readonly type: 'call'
  readonly step: TimedStep
  readonly call: KeptCall
}

/**
 * Returns the rows of a waterfall in the order of the steps. The rows of the calls follow the row of their step.
 *
 * @param callsOf - Returns the calls of a step that have rows.
 */
export function rowsOf(
  { steps, end }: Timeline,
  callsOf: (step: TimedStep) => readonly KeptCall[] = () => [],
): TimelineRow[] {
  return steps.flatMap(step => [
    stepRow(step, end),
    ...callsOf(step).map((call): CallRow => {
      const bars = barsOfCall(call, end, step.fault?.startsWith('delay'))
      return { type: 'call', step, call, bars, lanes: lanesIn(bars), marks: call.marks }
    }),
  ])
}

function stepRow(step: TimedStep, end: number): StepRow {
  const bars = barsOfStep(step, end)
  return { type: 'step', step, bars, lanes: lanesIn(bars), marks: step.calls.flatMap(({ marks }) => marks) }
}

function lanesIn(bars: readonly Bar[]): number {
  return bars.reduce((most, { lane }) => Math.max(most, lane + 1), 1)
}

/**
 * Returns the calls of a step that matter most, in their order: those that failed, and those that took longest.
 *
 * @param most - The largest number of calls.
 */
export function notableCalls({ calls }: TimedStep, most: number): readonly KeptCall[] {
  if (calls.length <= most) return calls
  const weight = ({ code, start, end }: KeptCall) => (code === null ? 0 : 1e9) + (end ?? 1e9) - start
  const chosen = new Set(calls.toSorted((one, other) => weight(other) - weight(one)).slice(0, most))
  return calls.filter(call => chosen.has(call))
}

/** Returns true if a step is of interest in a run: it was lost, it waited, or a call of it was sent more than once. */
export function isNotable({ state, calls }: TimedStep): boolean {
  if (state !== 'ok' && state !== 'skipped') return true
  return calls.some(({ waits, attempts, marks }) => waits.length > 0 || attempts.length > 1 || marks.length > 0)
}
