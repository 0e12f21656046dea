import type { KeptOutcome, KeptStep } from '../waterfall/kept-run.ts'
import { codeOfNumber } from './codes.ts'
import type { DescribedStep } from './described.ts'
import { states, unpacked } from './packed-values.ts'
import { rounded, type ReadCall } from './read-calls.ts'
import type { StoredOutcome, StoredRun } from './stored-run.ts'
import { Entry, numbersOfEntry } from './tape.ts'

/** A step of a kept run before its calls are known. */
export interface ReadStep {
  /** The index of the step; -1 for context(). */
  readonly index: number
  readonly described: DescribedStep
  readonly outcome: StoredOutcome
}

const context: DescribedStep = { name: 'context', kind: 'context', needs: [] }

const unstarted: StoredOutcome = {
  state: 'cancelled',
  start: null,
  ms: 0,
  attempts: 0,
  code: null,
  fault: null,
  failedCode: null,
}

/** Reads the steps of a kept run, in the order of declaration. The step `context` is first, if it has an outcome. */
export function readSteps(run: StoredRun): readonly ReadStep[] {
  const { described, outcomes } = run
  const ofEvents = outcomes === undefined ? outcomesOfEvents(run) : undefined
  const outcomeOf = (step: DescribedStep, index: number) => outcomes?.get(step.name) ?? ofEvents?.get(index)
  const ofContext = outcomes?.get('context')
  return [
    ...(ofContext === undefined ? [] : [{ index: -1, described: context, outcome: ofContext }]),
    ...described.steps.map((step, index) => ({
      index,
      described: step,
      outcome: outcomeOf(step, index) ?? unstarted,
    })),
  ]
}

/** Returns the steps with their calls. */
export function withCalls(steps: readonly ReadStep[], calls: readonly ReadCall[]): readonly KeptStep[] {
  const byStep = Map.groupBy(calls, ({ step }) => step)
  return steps.map(({ index, described: { name, kind, needs }, outcome }) => ({
    name,
    kind,
    needs,
    outcome: shownOutcome(outcome),
    calls: (byStep.get(index) ?? []).map(({ call }) => call),
  }))
}

function shownOutcome({ state, start, ms, attempts, code, fault }: StoredOutcome): KeptOutcome {
  return { state, start, ms, attempts, code, fault }
}

/** Returns the outcomes of the calls of a batch, which has no sources, by index. */
function outcomesOfEvents({ numbers }: StoredRun): ReadonlyMap<number, StoredOutcome> {
  const outcomes = new Map<number, { -readonly [Field in keyof StoredOutcome]: StoredOutcome[Field] }>()
  for (let at = 0; at < numbers.length; at += numbersOfEntry) {
    const head = numbers[at] as number
    const step = Math.floor(head / 16) - 1
    const time = rounded(numbers[at + 2] as number)
    const outcome = outcomes.get(step)
    const kind = head % 16
    if (kind === Entry.stepStarted) outcomes.set(step, { ...unstarted, start: time })
    else if (outcome === undefined) continue
    else if (kind === Entry.attemptStarted) outcome.attempts++
    else if (kind === Entry.stepEnded) {
      const [state, code] = unpacked(numbers[at + 3] as number)
      outcome.state = states[state] as string
      outcome.ms = rounded(time - (outcome.start as number))
      outcome.code = codeOfNumber(code)
    }
  }
  return outcomes
}
