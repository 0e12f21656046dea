import type { ReadInput } from './input.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { Step } from './step.ts'

/** The value so far of a step that has not ended. Values that have not arrived have stand-ins. */
export interface ValueSoFar {
  readonly value: unknown
  /** The number of values in it that have arrived. */
  readonly arrived: number
}

/** The values of a run while steps are in progress. */
export interface Standing {
  readonly input: ReadInput
  readonly context: unknown
  /** The values by the index of their step. A step that has not ended has a stand-in, or the values so far. */
  readonly values: readonly unknown[]
  /** The names of the steps that have not ended. */
  readonly pending: readonly string[]
  /** The number of values that have arrived. It never decreases, because a stand-in never replaces such a value. */
  readonly worth: number
}

/** The part of a step run that a standing reads. */
interface StepSoFar {
  readonly step: Step
  readonly value: unknown
  soFar(): ValueSoFar | undefined
}

/** Returns the values of a run so far, or undefined if a step has neither a value nor a stand-in. */
export function standingOf(
  input: ReadInput,
  context: unknown,
  steps: readonly StepSoFar[],
  recorder: OutcomeRecorder,
): Standing | undefined {
  const values: unknown[] = []
  const pending: string[] = []
  let worth = 0
  for (const run of steps) {
    const { index, name } = run.step
    const end = recorder.endOf(index)
    if (end === undefined) {
      const soFar = run.soFar()
      if (soFar === undefined) return undefined
      values.push(soFar.value)
      pending.push(name)
      worth += soFar.arrived
    } else {
      values.push(run.value)
      // The fallback of a step was its stand-in too, so it improves nothing.
      if (end.state !== 'fallback') worth += 1 + (end.tally?.ok ?? 0)
    }
  }
  return { input, context, values, pending: Object.freeze(pending), worth }
}
