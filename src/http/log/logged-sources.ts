import type { CallerCredentials } from './caller-credentials.ts'
import { alikeOf, lossOf, type FailedCall, type LoggedOutcome, type LoggedOutcomes, type Loss } from './losses.ts'

/** The part of a log line about one step, or about context(). It has the fields of the first loss of the step. */
export interface LoggedSource {
  readonly state: string
  /** The duration of the step, in ms. */
  readonly ms: number
  readonly attempts: number
  readonly calls: number | undefined
  readonly ok: number | undefined
  /** The number of items or pages of a truncated list for which no call was made; `null` if it is not known. */
  readonly omitted?: number | null | undefined
  readonly code?: string | undefined
  readonly upstream?: string | undefined
  readonly operation?: string | undefined
  readonly status?: number | undefined
  readonly failed?: number | undefined
  readonly why?: string | undefined
  /** The other losses of the step. */
  readonly lost?: readonly Loss[] | undefined
  /** The rehearsed fault that acted on the step. */
  readonly fault?: string | undefined
}

export type LoggedSources = Readonly<Record<string, LoggedSource>>

/** States in which a step has no loss. */
const wholeStates: ReadonlySet<string> = new Set(['ok', 'skipped', 'cancelled'])

/** Returns the sources of a complete reply. Steps of such a reply have no code, so the objects have few fields. */
export function wholeSources(outcomes: LoggedOutcomes): LoggedSources {
  const sources: Record<string, LoggedSource> = {}
  for (const step in outcomes) sources[step] = wholeSource(outcomes[step] as LoggedOutcome)
  return sources
}

function wholeSource({ state, ms, attempts, calls, ok, fault }: LoggedOutcome): LoggedSource {
  return fault === undefined ? { state, ms, attempts, calls, ok } : { state, ms, attempts, calls, ok, fault }
}

/**
 * Returns the sources of a run with losses.
 *
 * @param steps - The names of the steps by index.
 * @param calls - The failed calls of the run.
 * @param credentials - The credentials of the caller, which an upstream may repeat.
 * @param decisive - The call that failed the run, whose fields are in the line itself.
 */
export function lossySources(
  outcomes: LoggedOutcomes,
  steps: readonly { readonly name: string }[],
  calls: readonly FailedCall[],
  credentials: CallerCredentials,
  decisive?: FailedCall,
): LoggedSources {
  const sources: Record<string, LoggedSource> = {}
  for (const step in outcomes) {
    const outcome = outcomes[step] as LoggedOutcome
    const own = calls.filter(call => stepOf(steps, call) === step)
    if (own.length === 0) sources[step] = wholeStates.has(outcome.state) ? wholeSource(outcome) : sourceOf(outcome)
    else sources[step] = lossySource(outcome, own, credentials, decisive)
  }
  return sources
}

/** Returns the name of the step of a call. */
export function stepOf(steps: readonly { readonly name: string }[], { step }: FailedCall): string {
  return steps[step]?.name ?? 'context'
}

/** Returns the source of a step with failed calls. */
function lossySource(
  outcome: LoggedOutcome,
  calls: readonly FailedCall[],
  credentials: CallerCredentials,
  decisive: FailedCall | undefined,
): LoggedSource {
  const at = decisive === undefined ? -1 : calls.indexOf(decisive)
  const losses = calls.map((call, index) =>
    index === at ? lossInLine(call, outcome) : lossOf(call, outcome, credentials),
  )
  const first = at === -1 ? firstOf(outcome, losses) : at
  const others = first === -1 ? losses : losses.toSpliced(first, 1)
  return sourceOf(outcome, losses[first], others.length === 0 ? undefined : others)
}

/** Returns the loss for the call that failed the run. The line itself has the other fields. */
function lossInLine(call: FailedCall, outcome: LoggedOutcome): Loss {
  return {
    code: call.error.code,
    upstream: undefined,
    operation: undefined,
    status: undefined,
    failed: alikeOf(call, outcome),
    why: undefined,
  }
}

/** Returns the index of the loss because of which a step has its state, or -1. */
function firstOf({ state, code: decided }: LoggedOutcome, losses: readonly Loss[]): number {
  if (wholeStates.has(state)) return -1
  // A list with the state `partial` has no code of its own.
  return decided === undefined ? 0 : losses.findIndex(({ code }) => code === decided)
}

function sourceOf(
  { state, ms, attempts, calls, ok, omitted, code, status, fault }: LoggedOutcome,
  loss?: Loss,
  lost?: readonly Loss[],
): LoggedSource {
  const isStepLoss = loss === undefined && lost === undefined
  return {
    state,
    ms,
    attempts,
    calls,
    ok,
    omitted,
    code: code ?? loss?.code,
    upstream: loss?.upstream,
    operation: loss?.operation,
    status: isStepLoss ? status : loss?.status,
    failed: loss?.failed,
    why: loss?.why,
    lost,
    fault,
  }
}
