import type { FastifyReply, FastifyRequest } from 'fastify'
import { UpstreamError, type ErrorCode, type Problem } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'
import { cut } from '../../log/cut.ts'
import type { LoggedSources } from './logged-sources.ts'
import { CallerCredentials } from './caller-credentials.ts'
import { logOutcome, runFieldsOf, type RequestOutcome } from './request-outcome.ts'
import type { FailedRunFields, LineFields } from './run-fields.ts'

/**
 * Codes with a 5xx status that are not logged as failures. Their cause (an open circuit breaker, pressure, draining)
 * already has its own log line, the caller caused the failure, or the author of the aggregate chose the status.
 */
export const ownRefusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BULKHEAD_FULL',
  'THREADS_FULL',
  'BREAKER_OPEN',
  'SHED',
  'OVERLOADED',
  'DRAINING',
  'TRANSFER_ENCODING_UNSUPPORTED',
  'REFUSED',
])

/** The fields of the line of a failure. All failures have the same fields; those that do not apply are undefined. */
interface FailureFields extends LineFields {
  readonly err: unknown
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly why: string | undefined
  readonly aggregate: string | undefined
  readonly url: string | undefined
  readonly run: string | undefined
  readonly step: string | undefined
  readonly upstream: string | undefined
  readonly operation: string | undefined
  readonly status: number | undefined
  readonly sources: LoggedSources | undefined
}

/** The key of the problem of a request that was logged. */
const problemKey = Symbol('headwaters.problem')

type RequestWithProblem = FastifyRequest & { [problemKey]?: Problem }

/** Logs a failure as the outcome of its request, once. An error handler gets the failure of a run after its run. */
export function logProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
  credentials = new CallerCredentials(request.headers),
): void {
  if ((request as RequestWithProblem)[problemKey] === problem) return
  ;(request as RequestWithProblem)[problemKey] = problem
  logOutcome(request, outcomeOf(problem, runFieldsOf(request), credentials), reply.elapsedTime)
}

/** Marks a problem as logged if it is another form of the problem that was logged for its request. */
export function markLogged(request: FastifyRequest, logged: Problem, other: Problem): void {
  if ((request as RequestWithProblem)[problemKey] === logged) (request as RequestWithProblem)[problemKey] = other
}

/** Returns the outcome of a request that failed. */
export function outcomeOf(
  problem: Problem,
  run: FailedRunFields | undefined,
  credentials: CallerCredentials,
): RequestOutcome {
  const { code, cause, statusCode } = problem
  if (statusCode === 500 && code !== 'REFUSED') {
    const fields = failureFields(code, undefined, undefined, run, credentials.hideIn(cause ?? problem))
    return { level: 'error', fields, msg: 'request failed: internal error' }
  }
  const detail = credentials.hide(cut(problem.detail))
  if (statusCode > 500 && !ownRefusals.has(code)) {
    const why = causeChain(cause instanceof UpstreamError ? cause : problem)
    const fields = failureFields(code, detail, why && credentials.hide(why), run)
    return { level: 'warn', fields, msg: 'request failed' }
  }
  const fields = failureFields(code, detail, undefined, run)
  return { level: 'info', fields, msg: 'request refused', refusal: code }
}

function failureFields(
  code: ErrorCode,
  detail: string | undefined,
  why: string | undefined,
  run: FailedRunFields | undefined,
  err?: unknown,
): FailureFields {
  return {
    req: undefined,
    res: undefined,
    responseTime: undefined,
    err,
    code,
    detail,
    why,
    aggregate: run?.aggregate,
    url: run?.url,
    run: run?.run,
    step: run?.step,
    upstream: run?.upstream,
    operation: run?.operation,
    status: run?.status,
    sources: run?.sources,
  }
}
