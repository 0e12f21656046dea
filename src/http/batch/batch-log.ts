import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchRun } from '../../batch/start-batch.ts'
import { errors, type ErrorCode, type Problem } from '../../errors.ts'
import type { LostCall } from '../../fanout/outcome-recorder.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import type { CompleteRunSampler } from '../log/complete-run.ts'
import { logProblem, ownRefusals } from '../log/failure-outcome.ts'
import { lossOf, type LoggedOutcome, type Loss } from '../log/losses.ts'
import { logClosed } from '../log/request-line.ts'
import { hasRequestLog, logOutcome, type LoggedRun, type RequestOutcome } from '../log/request-outcome.ts'
import type { FailedRunFields, LineFields } from '../log/run-fields.ts'
import { batchName, batchUrl } from './batch-route.ts'

/** The results of a batch in its line: their numbers by state, and the codes of the problems. The ids are not logged. */
export interface LoggedBatch {
  readonly calls: number
  readonly ok: number
  readonly stale: number | undefined
  readonly partial: number | undefined
  readonly failed: number | undefined
  readonly notSent: number | undefined
  readonly codes: Readonly<Record<string, number>> | undefined
}

/** The fields of the line of a batch. */
export interface BatchFields extends LineFields, FailedRunFields {
  readonly batch: LoggedBatch
  /** The failures of calls of upstreams. Equal failures are one entry. */
  readonly lost: readonly Loss[] | undefined
}

/** Writes the line of one batch: its reply, its problem, or the end of its connection. */
export class BatchLog implements LoggedRun {
  readonly #completeRuns: CompleteRunSampler
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: BatchRun
  /** True if the outcome of the request is known, so that its line is complete. */
  #hasOutcome = false

  constructor(completeRuns: CompleteRunSampler, request: FastifyRequest, reply: FastifyReply, run: BatchRun) {
    this.#completeRuns = completeRuns
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  /** Logs the reply of the batch. */
  replied(isComplete: boolean): void {
    this.#hasOutcome = true
    const hasLoss = Array.from(this.#run.counts.codes.keys(), isServiceFailure).includes(true)
    logOutcome(
      this.#request,
      {
        level: hasLoss ? 'warn' : 'info',
        fields: this.#fields(),
        msg: hasLoss ? 'reply is partial' : hasRequestLog(this.#request) ? 'request completed' : 'run completed',
        isSampledOut: isComplete && !this.#completeRuns.shouldLog(),
      },
      this.#reply.elapsedTime,
    )
  }

  /** Logs a bug that failed the batch. */
  failed(problem: Problem): void {
    this.#hasOutcome = true
    logProblem(this.#request, this.#reply, problem)
  }

  /** Logs that the connection closed, unless the outcome of the request is known. */
  closed(): void {
    if (this.#hasOutcome) return
    this.#hasOutcome = true
    const outcome: RequestOutcome = { level: 'info', fields: this.#fields(), msg: 'request completed' }
    if (hasRequestLog(this.#request)) logOutcome(this.#request, outcome)
    else logClosed(this.#request, this.#reply, outcome)
  }

  failedRunFields(): FailedRunFields {
    return batchRunFields
  }

  #fields(): BatchFields {
    const { counts, lost } = this.#run
    return {
      req: undefined,
      res: undefined,
      responseTime: undefined,
      ...batchRunFields,
      batch: {
        calls: counts.calls,
        ok: counts.ok,
        stale: counts.stale || undefined,
        partial: counts.partial || undefined,
        failed: counts.failed || undefined,
        notSent: counts.notSent || undefined,
        codes: counts.codes.size === 0 ? undefined : Object.fromEntries(counts.codes),
      },
      lost: lost.length === 0 ? undefined : lossesOf(lost, new CallerCredentials(this.#request.headers)),
    }
  }
}

/** The fields of a batch that was refused or has failed. */
export const batchRunFields: FailedRunFields = Object.freeze({ aggregate: batchName, url: batchUrl })

/** Returns whether a code counts as a failure of the service or of an upstream, and not as one of the caller. */
function isServiceFailure(code: string): boolean {
  return Object.hasOwn(errors, code) && errors[code as ErrorCode].status >= 500 && !ownRefusals.has(code as ErrorCode)
}

/** Returns one loss for all calls that failed in the same way. */
function lossesOf(lost: readonly LostCall[], credentials: CallerCredentials): Loss[] {
  const groups = Map.groupBy(lost, ({ operation, error }) => `${operation} ${error.code} ${error.upstreamStatus}`)
  return Array.from(groups.values(), group => {
    const [first] = group as [LostCall]
    const { code, upstreamStatus: status } = first.error
    const failed = group.map(() => ({ code, ...(status !== undefined && { status }) }))
    const outcome: LoggedOutcome = { state: 'failed', ms: 0, attempts: 0, failed }
    return lossOf(first, outcome, credentials)
  })
}
