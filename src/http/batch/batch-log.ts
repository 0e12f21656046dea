import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchRun } from '../../batch/start-batch.ts'
import type { Problem } from '../../errors.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import type { CompleteRunSampler } from '../log/complete-run.ts'
import { logProblem } from '../log/failure-outcome.ts'
import type { Loss } from '../log/losses.ts'
import { problemLosses } from '../log/problem-losses.ts'
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
  /** The error of a bug in a call. */
  readonly err: unknown
  readonly batch: LoggedBatch
  /** The failures of upstreams and of the service. Equal failures are one entry. */
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
  /** True if all calls succeeded. The kept run shows no failure, so a line does not refer to it. */
  #isComplete = false

  constructor(completeRuns: CompleteRunSampler, request: FastifyRequest, reply: FastifyReply, run: BatchRun) {
    this.#completeRuns = completeRuns
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  /** Logs the reply of the batch. */
  replied(isComplete: boolean): void {
    this.#hasOutcome = true
    this.#isComplete = isComplete
    const fields = this.#fields()
    const level = fields.err !== undefined ? 'error' : fields.lost !== undefined ? 'warn' : 'info'
    logOutcome(
      this.#request,
      {
        level,
        fields,
        msg:
          level !== 'info' ? 'reply is partial' : hasRequestLog(this.#request) ? 'request completed' : 'run completed',
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
    return { ...batchRunFields, run: this.#runId() }
  }

  #runId(): string | undefined {
    return this.#isComplete ? undefined : this.#run.timeline?.id
  }

  #fields(): BatchFields {
    const { counts, failures } = this.#run
    const credentials = new CallerCredentials(this.#request.headers)
    const bug = failures.find(({ problem }) => problem.statusCode === 500 && problem.code !== 'REFUSED')?.problem
    return {
      req: undefined,
      res: undefined,
      responseTime: undefined,
      err: bug && credentials.hideIn(bug.cause ?? bug),
      ...batchRunFields,
      run: this.#runId(),
      batch: {
        calls: counts.calls,
        ok: counts.ok,
        stale: counts.stale || undefined,
        partial: counts.partial || undefined,
        failed: counts.failed || undefined,
        notSent: counts.notSent || undefined,
        codes: counts.codes.size === 0 ? undefined : Object.fromEntries(counts.codes),
      },
      lost: problemLosses(failures, credentials),
    }
  }
}

/** The fields of a batch that was refused or has failed. */
export const batchRunFields: FailedRunFields = Object.freeze({ aggregate: batchName, url: batchUrl })
