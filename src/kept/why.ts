import type { KeptCall, KeptMark } from '../waterfall/kept-run.ts'
import { rounded, type ReadCall } from './read-calls.ts'
import type { ReadStep } from './read-steps.ts'
import type { StoredRun } from './stored-run.ts'
import { partsOf } from './time-parts.ts'

/** The largest number of sentences. */
const most = 3

const refusedTexts: Readonly<Record<KeptMark['reason'], string>> = {
  budget: 'the retry budget was spent',
  deadline: 'the deadline was too near',
  'retry-after': 'the upstream asked for a pause above 30 s',
  permit: 'no permit was free',
  breaker: 'the circuit breaker was open',
}

/** Returns at most three sentences about a run: for each step that was lost, the largest part of its time. */
export function why(run: StoredRun, steps: readonly ReadStep[], calls: readonly ReadCall[]): readonly string[] {
  const lost = steps.filter(isLost).sort((one, other) => rank(other) - rank(one) || other.outcome.ms - one.outcome.ms)
  const told = lost.length > 0 ? lost : longestOf(steps)
  const ofSteps = told.map(step => sentence(run, step, callsOf(calls, step)))
  return [...aboutRun(run, lost), ...ofSteps].slice(0, most)
}

/** Returns a sentence about the end of the run, if no step explains it. */
function aboutRun({ caller, code, state, ms }: StoredRun, lost: readonly ReadStep[]): readonly string[] {
  if (caller === 'left') return [`the caller left after ${msText(ms)}`]
  if (caller === 'cut') return [`${code}: the service ended the reply after ${msText(ms)}`]
  if (state !== 'failed' || lost.some(({ outcome }) => outcome.code === code)) return []
  return [`${code}: the run failed after ${msText(ms)}, and no step explains it`]
}

/** Returns whether a step has no whole value, although it started. */
function isLost({ outcome: { state, start } }: ReadStep): boolean {
  return state !== 'ok' && state !== 'skipped' && start !== null
}

function rank({ outcome: { state } }: ReadStep): number {
  return state === 'failed' ? 2 : state === 'cancelled' ? 0 : 1
}

function longestOf(steps: readonly ReadStep[]): readonly ReadStep[] {
  const started = steps.filter(({ outcome }) => outcome.start !== null)
  return started.sort((one, other) => other.outcome.ms - one.outcome.ms).slice(0, 1)
}

function callsOf(calls: readonly ReadCall[], { index }: ReadStep): readonly ReadCall[] {
  return calls.filter(({ step }) => step === index)
}

function sentence(run: StoredRun, step: ReadStep, calls: readonly ReadCall[]): string {
  const { described, outcome } = step
  const code = outcome.code ?? outcome.failedCode
  const head = code === null ? described.name : `${described.name}: ${code}`
  if (outcome.fault !== null) return `${head}: the rehearsed fault ${outcome.fault}`
  const decisive = decisiveCall(run, code, calls)
  const refused = decisive?.call.marks.find(({ what }) => what === 'call refused')
  if (decisive !== undefined && refused !== undefined) return `${head}: ${refusalText(decisive, refused)}`
  const start = outcome.start as number
  const total = outcome.state === 'cancelled' ? rounded(run.ms - start) : outcome.ms
  const [largest] = partsOf(run, { start, ms: total }, calls, decisive).toSorted((one, other) => other.ms - one.ms)
  if (largest === undefined || largest.ms === 0) return `${head}: ${msText(total)}`
  return `${head}: ${msText(largest.ms)} of ${msText(total)} ${largest.text}${markText(decisive?.call)}`
}

/** Returns the call to which a step lost most time; for a step with a code it is a call with the same code. */
function decisiveCall(run: StoredRun, code: string | null, calls: readonly ReadCall[]): ReadCall | undefined {
  const alike = code === null ? [] : calls.filter(({ call }) => call.code === code)
  const candidates = alike.length > 0 ? alike : calls
  const length = ({ call }: ReadCall) => (call.end ?? run.ms) - call.start
  return candidates.toSorted((one, other) => length(other) - length(one))[0]
}

function refusalText({ described: { upstream } }: ReadCall, { reason }: KeptMark): string {
  return reason === 'breaker'
    ? `the circuit breaker of ${upstream} was open`
    : `${upstream} had no free permit, and its queue was full or too slow`
}

function markText(call: KeptCall | undefined): string {
  const mark = call?.marks[0]
  return mark === undefined ? '' : `; ${mark.what}: ${refusedTexts[mark.reason]}`
}

/** Returns a time as text: with one decimal below 10 ms. */
function msText(ms: number): string {
  return `${ms < 10 ? rounded(ms) : Math.round(ms)} ms`
}
