import { errors, type Problem, type UpstreamError } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'

/** The fields of an aggregate for the log. */
interface LoggedAggregate {
  readonly name: string
  readonly route: { readonly url: string }
  readonly steps: readonly { readonly name: string }[]
}

/** A failed call, with the index of its step. Calls of one step that failed in the same way are one entry. */
interface FailedCall {
  readonly step: number
  readonly error: UpstreamError
  /** The names of the upstream and of the operation: `catfact-ninja.fact`. */
  readonly operation: string
}

/** The part of an outcome that is logged. */
interface LoggedOutcome {
  readonly state: string
  readonly code?: string
  readonly status?: number
  readonly calls?: number
  readonly failed?: readonly { readonly code: string; readonly status?: number }[]
  readonly omitted?: number
}

/** The outcomes of the steps by name. */
export type LoggedOutcomes = Readonly<Record<string, LoggedOutcome>>

/** One failure of a step, or one failure that several calls of the step have in common. */
interface Loss {
  readonly step: string
  readonly code: string | undefined
  readonly upstream: string | undefined
  readonly operation: string | undefined
  /** The status of the upstream's response. */
  readonly status: number | undefined
  /** The number of calls of a step that makes several calls, and the number of those that failed in this way. */
  readonly items: number | undefined
  readonly failed: number | undefined
  /** The number of items of a truncated list for which no call was made. */
  readonly omitted: number | undefined
  /** The reason, with words of the upstream. */
  readonly why: string | undefined
}

/** States in which a step is not logged as a loss. */
const wholeStates: ReadonlySet<string> = new Set(['ok', 'skipped', 'cancelled'])

/** Returns the fields of the log line of a partial reply. */
export function partialFields(
  aggregate: LoggedAggregate,
  calls: readonly FailedCall[],
  outcomes: LoggedOutcomes,
): object {
  return { ...aggregateFields(aggregate), lost: lossesOf(aggregate, calls, outcomes) }
}

/**
 * Returns the fields of the log line of a failed run that are not about its reply: the aggregate, the failure that
 * ended the run, and the remaining losses.
 */
export function failureFields(
  aggregate: LoggedAggregate,
  calls: readonly FailedCall[],
  outcomes: LoggedOutcomes,
  { code, cause }: Problem,
): object {
  const losses = lossesOf(aggregate, calls, outcomes)
  // Prefer the loss with the error of the problem: `context()` may have caught an earlier failure with the same code.
  const decisive =
    losses[calls.findIndex(({ error }) => error === cause)] ??
    losses.find(loss => loss.code === code && outcomes[loss.step]?.state === 'failed')
  // The reply has the code, and its problem has the reason.
  const { code: _code, why: _why, ...place } = decisive ?? { code, why: undefined }
  const lost = losses.filter(loss => loss !== decisive)
  return { ...aggregateFields(aggregate), ...place, ...(lost.length > 0 && { lost }) }
}

function aggregateFields({ name, route }: LoggedAggregate) {
  return { aggregate: name, url: route.url }
}

/**
 * Returns a loss for each failed call, in the order of the calls, then a loss for each remaining step that is not
 * whole.
 */
function lossesOf({ steps }: LoggedAggregate, calls: readonly FailedCall[], outcomes: LoggedOutcomes): Loss[] {
  const losses = calls.map(({ step: index, error, operation }) => {
    const step = steps[index]?.name ?? 'context'
    return callLoss(step, error, operation, outcomes[step])
  })
  // A step may also fail without a failed call, if its function throws or its calls are never sent.
  for (const [step, outcome] of Object.entries(outcomes))
    if (!wholeStates.has(outcome.state) && !losses.some(loss => loss.step === step))
      losses.push(stepLoss(step, outcome))
  return losses
}

function callLoss(step: string, error: UpstreamError, operation: string, outcome: LoggedOutcome | undefined): Loss {
  const [upstream, name] = operation.split('.', 2)
  const alike = outcome?.failed?.filter(({ code, status }) => code === error.code && status === error.upstreamStatus)
  return {
    step,
    code: error.code,
    upstream,
    operation: name,
    status: error.upstreamStatus,
    items: outcome?.calls,
    failed: alike?.length,
    omitted: outcome?.omitted,
    why: causeChain(error) ?? detailOf(error),
  }
}

function stepLoss(step: string, { code, status, calls, failed, omitted }: LoggedOutcome): Loss {
  return {
    step,
    code,
    upstream: undefined,
    operation: undefined,
    status,
    items: calls,
    failed: failed?.length,
    omitted,
    why: undefined,
  }
}

/** Returns the part of a message that adds to the text of its code and its status. */
function detailOf({ code, source, message, upstreamStatus }: UpstreamError): string | undefined {
  const start = `${source} ${errors[code].text}: `
  const detail = message.startsWith(start) ? message.slice(start.length) : undefined
  return detail === `status ${upstreamStatus}` ? undefined : detail
}
