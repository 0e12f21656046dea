import { errors, type UpstreamError } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'

/** A failed call, with the index of its step. Calls of one step that failed in the same way are one entry. */
export interface FailedCall {
  /** The index of the step; -1 for context(). */
  readonly step: number
  readonly error: UpstreamError
  /** The names of the upstream and of the operation: `catfact-ninja.fact`. */
  readonly operation: string
}

/** The part of the outcome of a step that is logged. */
export interface LoggedOutcome {
  readonly state: string
  readonly ms: number
  readonly attempts: number
  readonly code?: string
  readonly status?: number
  readonly calls?: number
  readonly ok?: number
  readonly failed?: readonly { readonly code: string; readonly status?: number }[]
  readonly omitted?: number
}

/** The outcomes of the steps by name. */
export type LoggedOutcomes = Readonly<Record<string, LoggedOutcome>>

/** One failure of a step, or one failure that several calls of the step have in common. */
export interface Loss {
  readonly code: string
  readonly upstream: string | undefined
  readonly operation: string | undefined
  /** The status of the upstream's response. */
  readonly status: number | undefined
  /** The number of calls that failed in this way, for a step that makes several calls. */
  readonly failed: number | undefined
  /** The reason, with words of the upstream. */
  readonly why: string | undefined
}

/** Returns the loss for a failed call of a step with this outcome. */
export function lossOf({ error, operation }: FailedCall, outcome: LoggedOutcome | undefined): Loss {
  const [upstream, name] = operation.split('.', 2)
  const alike = outcome?.failed?.filter(({ code, status }) => code === error.code && status === error.upstreamStatus)
  return {
    code: error.code,
    upstream,
    operation: name,
    status: error.upstreamStatus,
    failed: alike?.length,
    why: causeChain(error) ?? detailOf(error),
  }
}

/** Returns the part of a message that adds to the text of its code and its status. */
function detailOf({ code, source, message, upstreamStatus }: UpstreamError): string | undefined {
  const start = `${source} ${errors[code].text}: `
  const detail = message.startsWith(start) ? message.slice(start.length) : undefined
  return detail === `status ${upstreamStatus}` ? undefined : detail
}
