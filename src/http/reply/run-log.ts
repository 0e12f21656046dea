import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { Run } from '../../fanout/run.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import { CompleteRun, type CompleteRunSampler } from '../log/complete-run.ts'
import { logProblem } from '../log/failure-outcome.ts'
import type { LoggedOutcomes } from '../log/losses.ts'
import { logClosed } from '../log/request-line.ts'
import { hasRequestLog, logOutcome, type LoggedRun, type RequestOutcome } from '../log/request-outcome.ts'
import { failureFields, partialFields, type FailedRunFields, type RunFields } from '../log/run-fields.ts'

/** Writes the line of one run: its reply, its problem, or the end of its connection. */
export class RunLog implements LoggedRun {
  readonly #aggregate: AnyAggregate
  readonly #completeRuns: CompleteRunSampler
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: Run
  /** Created for the first line with a reason. */
  #credentials: CallerCredentials | undefined
  /** The failure of the run, once it is known. */
  #problem: Problem | undefined
  /** True if the outcome of the request is known, so that its line is complete. */
  #hasOutcome = false
  /** True if the run ended with a complete reply. Its kept run shows no failure, so a line does not refer to it. */
  #isComplete = false

  constructor(
    aggregate: AnyAggregate,
    completeRuns: CompleteRunSampler,
    request: FastifyRequest,
    reply: FastifyReply,
    run: Run,
  ) {
    this.#aggregate = aggregate
    this.#completeRuns = completeRuns
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  /** Logs the reply of the run. */
  replied({ complete, sources }: Reply<unknown, string>): void {
    this.#hasOutcome = true
    this.#isComplete = complete
    const outcome: RequestOutcome = complete
      ? new CompleteRun(this.#aggregate, sources, !this.#completeRuns.shouldLog(), this.#completeMessage())
      : { level: 'warn', fields: this.#partialFields(sources), msg: 'reply is partial' }
    logOutcome(this.#request, outcome, this.#reply.elapsedTime)
  }

  /** Sets the reply that cannot be written. Its failure follows. */
  unwritten({ complete }: Reply<unknown, string>): void {
    this.#isComplete = complete
  }

  /** Logs the failure of the run, or of its reply. */
  failed(problem: Problem): void {
    this.#problem = problem
    this.#hasOutcome = true
    logProblem(this.#request, this.#reply, problem, this.#callerCredentials())
  }

  /** Logs that the connection closed, unless the outcome of the request is known. */
  closed(): void {
    if (this.#hasOutcome) return
    this.#hasOutcome = true
    const fields = this.#partialFields(this.#run.outcomes)
    const outcome: RequestOutcome = { level: 'info', fields, msg: 'request completed' }
    if (hasRequestLog(this.#request)) logOutcome(this.#request, outcome)
    else logClosed(this.#request, this.#reply, outcome)
  }

  /** Returns the fields of the run, for the line of a failure of the run or of its reply. */
  failedRunFields(): FailedRunFields {
    const { name, route } = this.#aggregate
    if (this.#problem !== undefined)
      return failureFields(
        this.#aggregate,
        this.#run.lost,
        (this.#problem.sources ?? {}) as LoggedOutcomes,
        this.#problem,
        this.#callerCredentials(),
        this.#runId(),
      )
    const { run, sources } = this.#partialFields(this.#run.outcomes)
    return { aggregate: name, url: route.url, run, sources }
  }

  #partialFields(outcomes: LoggedOutcomes): RunFields {
    return partialFields(this.#aggregate, this.#run.lost, outcomes, this.#callerCredentials(), this.#runId())
  }

  #runId(): string | undefined {
    return this.#isComplete ? undefined : this.#run.timeline?.id
  }

  #callerCredentials(): CallerCredentials {
    return (this.#credentials ??= new CallerCredentials(this.#request.headers))
  }

  /** Returns the message of a complete run. Fastify's own log controller writes `request completed` itself. */
  #completeMessage(): string {
    return hasRequestLog(this.#request) ? 'request completed' : 'run completed'
  }
}
