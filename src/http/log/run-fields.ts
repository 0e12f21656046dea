import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../errors.ts'
import type { CallerCredentials } from './caller-credentials.ts'
import { operationOf, upstreamOf, type FailedCall, type LoggedOutcomes } from './losses.ts'
import { lossySources, stepOf, wholeSources, type LoggedSources } from './logged-sources.ts'

/** The fields of an aggregate for the log. */
export interface LoggedAggregate {
  readonly name: string
  readonly route: { readonly url: string }
  readonly steps: readonly { readonly name: string }[]
}

/** The reply to a request, or the problem that was sent in its place. */
export type LoggedAnswer = Pick<FastifyReply, 'statusCode'>

/** The fields of every line that ends a request. They are set when the line is written, so that no object is copied. */
export interface LineFields {
  req: FastifyRequest | undefined
  res: LoggedAnswer | undefined
  /** The time from the request to its line, in ms. */
  responseTime: number | undefined
}

/** The fields of the line of a run that did not fail. */
export interface RunFields extends LineFields {
  readonly aggregate: string
  readonly url: string
  /** The id of the run, if runs are kept and the reply is not complete. */
  readonly run?: string | undefined
  readonly sources: LoggedSources | undefined
}

/** The fields of the line of a failed run that are not about its reply. All but `aggregate` and `url` may be absent. */
export interface FailedRunFields {
  readonly aggregate: string
  readonly url: string
  /** The id of the run, if runs are kept. */
  readonly run?: string | undefined
  /** The step that failed the run. */
  readonly step?: string | undefined
  readonly upstream?: string | undefined
  readonly operation?: string | undefined
  /** The status of the upstream's response. */
  readonly status?: number | undefined
  readonly sources?: LoggedSources | undefined
}

/** Returns the fields of the line of a complete reply. */
export function completeFields({ name, route }: LoggedAggregate, outcomes: LoggedOutcomes): RunFields {
  return {
    req: undefined,
    res: undefined,
    responseTime: undefined,
    aggregate: name,
    url: route.url,
    sources: wholeSources(outcomes),
  }
}

/** Returns the fields of the line of a partial reply, or of a run whose caller has closed the connection. */
export function partialFields(
  { name, route, steps }: LoggedAggregate,
  calls: readonly FailedCall[],
  outcomes: LoggedOutcomes,
  credentials: CallerCredentials,
  run?: string,
): RunFields {
  return {
    req: undefined,
    res: undefined,
    responseTime: undefined,
    aggregate: name,
    url: route.url,
    run,
    sources: lossySources(outcomes, steps, calls, credentials),
  }
}

/**
 * Returns the fields of a failed run: the aggregate, the step and the call that failed it, and the sources. The reply
 * has the code, and its problem has the reason.
 */
export function failureFields(
  { name, route, steps }: LoggedAggregate,
  calls: readonly FailedCall[],
  outcomes: LoggedOutcomes,
  { code, cause }: Problem,
  credentials: CallerCredentials,
  run?: string,
): FailedRunFields {
  const isFailed = (step: string) => outcomes[step]?.state === 'failed' && outcomes[step].code === code
  // Prefer the call with the error of the problem: `context()` may have caught an earlier failure with the same code,
  // and a coalesced call of an optional step may have the same error.
  const decisive =
    calls.find(call => call.error === cause && isFailed(stepOf(steps, call))) ??
    calls.find(({ error }) => error === cause) ??
    calls.find(call => call.error.code === code && isFailed(stepOf(steps, call)))
  return {
    aggregate: name,
    url: route.url,
    run,
    // A step may also fail without a failed call, if its function throws or its calls are never sent.
    step: decisive === undefined ? Object.keys(outcomes).find(isFailed) : stepOf(steps, decisive),
    upstream: decisive && upstreamOf(decisive),
    operation: decisive && operationOf(decisive),
    status: decisive?.error.upstreamStatus,
    sources: lossySources(outcomes, steps, calls, credentials, decisive),
  }
}
