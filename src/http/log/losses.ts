import { errors, type UpstreamError } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'
import type { CallerCredentials } from './caller-credentials.ts'

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
  readonly omitted?: number | null
  /** The rehearsed fault that acted on the step. */
  readonly fault?: string
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
export function lossOf(call: FailedCall, outcome: LoggedOutcome, credentials: CallerCredentials): Loss {
  const { error } = call
  const why = causeChain(error) ?? detailOf(error)
  return {
    code: error.code,
    upstream: upstreamOf(call),
    operation: operationOf(call),
    status: error.upstreamStatus,
    failed: alikeOf(call, outcome),
    why: why && credentials.hide(why),
  }
}

/** Returns the name of the upstream of a call. */
export function upstreamOf({ operation }: FailedCall): string {
  const dot = operation.indexOf('.')
  return dot === -1 ? operation : operation.slice(0, dot)
}

/** Returns the name of the operation of a call, without its upstream. */
export function operationOf({ operation }: FailedCall): string | undefined {
  const dot = operation.indexOf('.')
  return dot === -1 ? undefined : operation.slice(dot + 1)
}

/** Returns the number of calls of a step that failed as this call, or undefined for a step that makes one call. */
export function alikeOf({ error }: FailedCall, { failed }: LoggedOutcome): number | undefined {
  if (failed === undefined) return undefined
  let alike = 0
  for (const { code, status } of failed) if (code === error.code && status === error.upstreamStatus) alike++
  return alike
}

/** Returns the part of a message that adds to the text of its code and its status. */
function detailOf({ code, source, message, upstreamStatus }: UpstreamError): string | undefined {
  const start = `${source} ${errors[code].text}: `
  const detail = message.startsWith(start) ? message.slice(start.length) : undefined
  return detail === `status ${upstreamStatus}` ? undefined : detail
}
