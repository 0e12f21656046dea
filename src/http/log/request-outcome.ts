import type { FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../errors.ts'

/** The outcome of a request, which its line says. */
export interface RequestOutcome {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly msg: string
  /** The code of a refusal, which does not get a line each time. */
  readonly refusal?: ErrorCode
}

/** The outcome of a request; `null` before it is known. */
export const outcomeKey = Symbol('headwaters.outcome')

export type RequestWithOutcome = FastifyRequest & { [outcomeKey]?: RequestOutcome | null }

/**
 * Keeps the outcome of a request for the one line that it gets when it ends. In an app that writes its own lines for
 * requests, the outcome is written at once.
 */
export function logOutcome(request: FastifyRequest, outcome: RequestOutcome): void {
  const { [outcomeKey]: before } = request as RequestWithOutcome
  if (before !== undefined) (request as RequestWithOutcome)[outcomeKey] = outcome
  else if (outcome.refusal !== undefined) request.log.debug(outcome.fields, outcome.msg)
  else request.log[outcome.level](outcome.fields, outcome.msg)
}
