import type { ReadInput } from './input.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { Step } from './step.ts'

/** The value so far of a step that has not ended. Fallbacks replace what has not arrived. */
export interface PartialValue {
  readonly value: unknown
  /** The number of values in it that have arrived. */
  readonly arrived: number
}

/** The value so far of a list whose calls are not known yet. */
export const nothingYet: PartialValue = Object.freeze({ value: Object.freeze([]), arrived: 0 })

/** The values of a run whose steps have not all ended. */
export interface PartialValues {
  readonly input: ReadInput
  readonly context: unknown
  /** The values by the index of their step: its value, its value so far, or its fallback. */
  readonly values: readonly unknown[]
  /** The names of the steps that have not ended. */
  readonly pending: readonly string[]
  /** The number of values that have arrived. It never decreases, because no fallback replaces such a value. */
  readonly arrived: number
}

/** The part of a step run that is read. */
interface StepSoFar {
  readonly step: Step
  readonly value: unknown
  soFar(): PartialValue | undefined
}

/**
 * Returns the values of a run so far, or undefined if a step has neither a value nor a fallback, and if all steps have
 * ended.
 */
export function partialValues(
  input: ReadInput,
  context: unknown,
  steps: readonly StepSoFar[],
  recorder: OutcomeRecorder,
): PartialValues | undefined {
  const values: unknown[] = []
  const pending: string[] = []
  let arrived = 0
  for (const run of steps) {
    const { index, name } = run.step
    const end = recorder.endOf(index)
    if (end === undefined) {
      const soFar = run.soFar()
      if (soFar === undefined) return undefined
      values.push(soFar.value)
      pending.push(name)
      arrived += soFar.arrived
    } else if (end.state === 'failed') return undefined
    else {
      values.push(run.value)
      // The step had its fallback before it ended, so that its end improves nothing.
      if (end.state !== 'fallback') arrived += 1 + (end.tally?.ok ?? 0)
    }
  }
  return pending.length === 0 ? undefined : { input, context, values, pending: Object.freeze(pending), arrived }
}
