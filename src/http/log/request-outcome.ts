import type { FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import { traceFields } from './trace-fields.ts'

/** The outcome of a request, for its log line. */
export interface RequestOutcome {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly msg: string
  /** The code of a refusal. The lines of refusals are sampled. */
  readonly refusal?: ErrorCode
}

/** The key of a request's outcome. The value is null before the outcome is known. */
export const outcomeKey = Symbol('headwaters.outcome')

/** The key of the fields of a run that failed. */
const runFieldsKey = Symbol('headwaters.run fields')

export type RequestWithOutcome = FastifyRequest & { [outcomeKey]?: RequestOutcome | null }
type RequestWithRun = FastifyRequest & { [runFieldsKey]?: object }

/** Stores the log fields of a failed run until the failure is logged. */
export function setRunFields(request: FastifyRequest, fields: object): void {
  ;(request as RequestWithRun)[runFieldsKey] = fields
}

/** Returns the log fields of a request's failed run, or undefined if the request has no run. */
export function runFieldsOf(request: FastifyRequest): object | undefined {
  return (request as RequestWithRun)[runFieldsKey]
}

/**
 * Sets the outcome of a request. It is logged in the single line of the request when the request ends. In an app with
 * another log controller the outcome is logged at once.
 */
export function logOutcome(request: FastifyRequest, outcome: RequestOutcome): void {
  const { [outcomeKey]: before } = request as RequestWithOutcome
  if (before !== undefined) return void ((request as RequestWithOutcome)[outcomeKey] = outcome)
  const level = outcome.refusal === undefined ? outcome.level : 'debug'
  request.log[level]({ ...traceFields(request.raw), ...outcome.fields }, outcome.msg)
}
