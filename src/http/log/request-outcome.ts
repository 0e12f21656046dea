import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import { traceFields } from './trace-fields.ts'
import type { FailedRunFields, LineFields } from './run-fields.ts'

/** The outcome of a request, for its log line. */
export interface RequestOutcome {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** The fields of the line. They belong to one request. @default the request, its reply and the time */
  readonly fields?: LineFields | undefined
  readonly msg: string
  /** The code of a refusal. The lines of refusals are sampled. */
  readonly refusal?: ErrorCode | undefined
  /** True if the line is written at `debug`, unless the connection closes too early. @default false */
  readonly isSampledOut?: boolean
}

/** The key of a request's outcome. The value is null before the outcome is known. */
export const outcomeKey = Symbol('headwaters.outcome')

/** The key of what is known about the run of a request. */
const runKey = Symbol('headwaters.run')

/** A run whose failure may be logged. */
export interface LoggedRun {
  /** Returns the fields of the run, for the line of a failure. */
  failedRunFields(): FailedRunFields
}

/** A logger that may tell which levels it writes. */
export type LeveledLog = FastifyBaseLogger & { isLevelEnabled?: (level: string) => boolean }

export type RequestWithOutcome = FastifyRequest & { [outcomeKey]?: RequestOutcome | null }
type RequestWithRun = FastifyRequest & { [runKey]?: LoggedRun }

/**
 * The outcome of a probe and of a scrape has the level `debug`. Each of them is sent every few seconds, so that they
 * would be most of the log.
 */
export const probed: RequestOutcome = { level: 'debug', msg: 'request completed' }

/** Stores the run of a request until a failure is logged. */
export function setRun(request: FastifyRequest, run: LoggedRun): void {
  ;(request as RequestWithRun)[runKey] = run
}

/** Returns the fields of a request's run, or undefined if the request has no run. */
export function runFieldsOf(request: FastifyRequest): FailedRunFields | undefined {
  return (request as RequestWithRun)[runKey]?.failedRunFields()
}

/**
 * Returns true if the lines of requests are written by `RequestLog`. In an app with another log controller each outcome
 * is logged at once.
 */
export function hasRequestLog(request: FastifyRequest): boolean {
  return (request as RequestWithOutcome)[outcomeKey] !== undefined
}

/**
 * Sets the outcome of a request. It is logged in the single line of the request when the request ends. In an app with
 * another log controller the outcome is logged at once.
 *
 * @param responseTime - The time since the request, in ms. It is a field of a line that is written at once.
 */
export function logOutcome(request: FastifyRequest, outcome: RequestOutcome, responseTime?: number): void {
  if (hasRequestLog(request)) {
    ;(request as RequestWithOutcome)[outcomeKey] = outcome
    return
  }
  const { refusal, isSampledOut = false, msg } = outcome
  const level = refusal !== undefined || isSampledOut ? 'debug' : outcome.level
  const { log } = request as { readonly log: LeveledLog }
  if (log.isLevelEnabled?.(level) === false) return
  const { fields } = outcome
  if (fields !== undefined) fields.responseTime = responseTime
  log[level]({ ...traceFields(request.raw), ...fields }, msg)
}
