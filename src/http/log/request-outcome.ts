import type { FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../errors.ts'

/** The outcome of a request, for its log line. */
export interface RequestOutcome {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly msg: string
  /** The code of a refusal. The lines of refusals are sampled. */
  readonly refusal?: ErrorCode
}

/** The key of a request's outcome. The value is null before the outcome is known. */
export const outcomeKey = Symbol('headwaters.outcome')

export type RequestWithOutcome = FastifyRequest & { [outcomeKey]?: RequestOutcome | null }

/**
 * Sets the outcome of a request, which is logged in the request's one line when it ends. In an app with another log
 * controller the outcome is logged at once.
 */
export function logOutcome(request: FastifyRequest, outcome: RequestOutcome): void {
  const { [outcomeKey]: before } = request as RequestWithOutcome
  if (before !== undefined) (request as RequestWithOutcome)[outcomeKey] = outcome
  else if (outcome.refusal !== undefined) request.log.debug(outcome.fields, outcome.msg)
  else request.log[outcome.level](outcome.fields, outcome.msg)
}
