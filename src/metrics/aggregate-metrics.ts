import * as families from './families.ts'
import { allCodes, callCodes } from './label-values.ts'
import type { LatencyCounts } from './latency-counts.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

/** The part of the declaration of an aggregate on which its metrics depend. */
export interface CountedAggregate {
  readonly name: string
  readonly steps: readonly { readonly name: string }[]
}

export const runOutcomes = ['complete', 'partial', 'failed', 'cancelled'] as const
const stepStates = ['ok', 'stale', 'partial', 'fallback', 'skipped', 'failed', 'cancelled'] as const

export type RunOutcome = (typeof runOutcomes)[number]
export type StepState = (typeof stepStates)[number]

/** The codes of a step in these states. In all other states a step has no code. */
export const codesOfState = {
  stale: callCodes.values,
  fallback: allCodes.values,
  failed: allCodes.values,
} as const satisfies Partial<Record<StepState, readonly string[]>>

const failedIndex = runOutcomes.indexOf('failed')
const noCode = ['']

/** Counts the runs of one aggregate. */
export class AggregateMetrics {
  readonly #runs: SeriesTable
  readonly #ended: Slots
  readonly #failed: Slots
  readonly #duration: SeriesTable
  readonly #durations: Slots
  readonly #deadlineLeft: SeriesTable
  readonly #deadlinesLeft: Slots
  /** The metrics of the steps, in the order of declaration. */
  readonly #steps: readonly StepMetrics[]
  readonly #context: StepMetrics
  readonly #latency: LatencyCounts | undefined

  constructor(metrics: Metrics, { name, steps }: CountedAggregate) {
    this.#runs = metrics.table(families.runs)
    this.#ended = new Slots(this.#runs, runOutcomes, outcome => [name, outcome, ''])
    this.#failed = new Slots(this.#runs, allCodes.values, code => [name, 'failed', code])
    this.#runs.show(this.#ended.at(runOutcomes.indexOf('complete')))
    this.#duration = metrics.table(families.runDuration)
    this.#durations = new Slots(this.#duration, runOutcomes, outcome => [name, outcome])
    this.#deadlineLeft = metrics.table(families.runDeadlineLeft)
    this.#deadlinesLeft = new Slots(this.#deadlineLeft, noCode, () => [name])
    this.#steps = steps.map(step => new StepMetrics(metrics, name, step.name))
    this.#context = new StepMetrics(metrics, name, 'context')
    this.#latency = metrics.live?.aggregate(name)
  }

  /**
   * Counts a run that has ended.
   *
   * @param code The code of a failed run.
   * @param ms The duration.
   * @param deadline The limit on the duration, in ms.
   */
  runEnded(
    outcome: RunOutcome,
    code: string | undefined,
    ms: number,
    deadline: number,
    traceId: string | undefined,
  ): void {
    const index = runOutcomes.indexOf(outcome)
    const slot =
      index === failedIndex && code !== undefined ? this.#failed.at(allCodes.indexOf(code)) : this.#ended.at(index)
    this.#runs.add(slot, 1)
    this.#latency?.add(ms)
    this.#duration.observe(this.#durations.at(index), ms / 1000, traceId)
    this.#deadlineLeft.observe(this.#deadlinesLeft.at(0), ms < deadline ? (deadline - ms) / 1000 : 0, traceId)
  }

  /** Returns the metrics of a step. The index of context() is -1. */
  step(index: number): StepMetrics {
    return index < 0 ? this.#context : (this.#steps[index] as StepMetrics)
  }
}

/** Counts the ends of one step. */
export class StepMetrics {
  readonly #count: SeriesTable
  readonly #duration: SeriesTable
  readonly #withoutCode: Slots
  readonly #stale: Slots
  readonly #fallback: Slots
  readonly #failed: Slots
  readonly #durations: Slots

  constructor(metrics: Metrics, aggregate: string, step: string) {
    this.#count = metrics.table(families.steps)
    this.#duration = metrics.table(families.stepDuration)
    const coded = (state: keyof typeof codesOfState) =>
      new Slots(this.#count, codesOfState[state], code => [aggregate, step, state, code])
    this.#withoutCode = new Slots(this.#count, stepStates, state => [aggregate, step, state, ''])
    this.#stale = coded('stale')
    this.#fallback = coded('fallback')
    this.#failed = coded('failed')
    this.#durations = new Slots(this.#duration, stepStates, state => [aggregate, step, state])
  }

  ended(state: StepState, code: string | undefined, ms: number, traceId: string | undefined): void {
    const index = stepStates.indexOf(state)
    this.#count.add(code === undefined ? this.#withoutCode.at(index) : this.#codedSlot(state, index, code), 1)
    this.#duration.observe(this.#durations.at(index), ms / 1000, traceId)
  }

  #codedSlot(state: StepState, index: number, code: string): number {
    if (state === 'stale') return this.#stale.at(callCodes.indexOf(code))
    if (state === 'fallback') return this.#fallback.at(allCodes.indexOf(code))
    return state === 'failed' ? this.#failed.at(allCodes.indexOf(code)) : this.#withoutCode.at(index)
  }
}
