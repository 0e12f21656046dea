import type { Runtime } from '../upstream/runtime.ts'
import { checkListener, checkObject } from '../core/option-values.ts'
import { startRunSpans } from '../otel/run-spans.ts'
import { Problem, toProblem, type Fault } from '../errors.ts'
import { checkTrace } from '../trace/check-trace.ts'
import { continueTrace, requestTrace, type RequestTrace } from '../trace/request-trace.ts'
import type { TraceContext } from '../trace/trace-context.ts'
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import { endToEnd, lowerCased } from '../core/end-to-end.ts'
import { readInput, type RawInput, type ReadInput } from './input.ts'
import { HeaderReadTracker } from './reads.ts'
import type { Reply } from './reply.ts'
import { requireReply } from './require-reply.ts'
import { Run, type RunOptions, type RunStartOptions } from './run.ts'

/** Options of `fanOut`. */
export interface FanOutOptions extends Omit<RunOptions, 'trace'> {
  /** The runtime that sends the calls. */
  readonly runtime: Runtime
  /** Cancels the run when it is aborted. @default no signal */
  readonly signal?: AbortSignal | undefined
  /**
   * The trace context of the caller. Upstreams with `traceContext: true` receive its trace.
   * @default read from the headers `traceparent` and `tracestate` of the input, or a new trace that is not sampled
   */
  readonly trace?: TraceContext | undefined
}

/**
 * Runs an aggregate once, without a server.
 *
 * @param aggregate The aggregate.
 * @param input The parts of a request, before the schemas of the aggregate read them.
 * @param options The runtime, a signal, a shorter deadline and a listener of events.
 * @returns The data, whether it is complete, and the outcome of each step.
 * @throws `TypeError` for an option that is wrong, and for a declaration that has not ended with reply().
 * @throws `Problem` for a run that fails: `INPUT_INVALID` for a wrong input, `REFUSED` for a call of `refuse`,
 *   `DEADLINE_EXCEEDED`, or the code of the required step that failed. If `signal` is aborted, the promise rejects with
 *   the reason of the signal.
 * @example
 * ```ts
 * import { createRuntime, fanOut, Problem, type Aggregate } from 'headwaters'
 *
 * declare const catFacts: Aggregate<unknown, { readonly facts: readonly string[] }, 'ninja' | 'meow'>
 *
 * const runtime = createRuntime()
 * try {
 *   const { data, complete, sources } = await fanOut(catFacts, { query: { count: 5 } }, { runtime, deadline: 500 })
 *   console.log(data.facts, complete, sources.ninja.state)
 * } catch (error) {
 *   if (error instanceof Problem) console.error(error.code, error.detail)
 * } finally {
 *   await runtime.close()
 * }
 * ```
 */
export async function fanOut<I, D, K extends string>(
  aggregate: Aggregate<I, D, K>,
  input: RawInput,
  options: FanOutOptions,
): Promise<Reply<D, K>> {
  requireReply('fanOut: the first argument', aggregate)
  const { signal, onEvent } = options
  checkListener('fanOut', onEvent)
  signal?.throwIfAborted()
  const { headers = {} } = input
  checkObject('fanOut', 'headers', headers, "{ 'accept-language': 'en' }")
  const inbound = endToEnd(lowerCased(headers))
  const trace =
    options.trace === undefined ? requestTrace(inbound, 0) : continueTrace(checkTrace('fanOut', 'trace', options.trace))
  const { start } = traceRun(aggregate, { ...input, headers: inbound }, { ...options, trace })
  return (await start()) as Reply<D, K>
}

/** A run with its spans that has not started. */
export interface TracedRun {
  readonly run: Run
  /** Starts the run; rejects with a `Problem`, or with the reason of the signal. */
  readonly start: () => Promise<Reply<unknown, string>>
}

/** The options of a run outside of a server. */
export interface TracedRunOptions extends Omit<RunStartOptions, 'spans' | 'trace'> {
  readonly signal?: AbortSignal | undefined
  readonly trace: RequestTrace
}

/**
 * Reads the input and creates a run and its spans. The signal cancels the run. The input must have only end-to-end
 * headers, by lower-case name.
 * @throws Problem for input that cannot be read
 */
export function traceRun(
  aggregate: AnyAggregate,
  input: RawInput,
  { signal, trace, ...options }: TracedRunOptions,
): TracedRun {
  const spans = startRunSpans(aggregate, trace)
  const endSpans = (error: unknown) => spans?.end(error instanceof Problem ? error.statusCode : undefined)
  let run: Run
  try {
    run = startRun(aggregate, input, { ...options, trace: spans === undefined ? trace : spans.trace, spans })
  } catch (error) {
    endSpans(error)
    throw error
  }
  return {
    run,
    async start() {
      const cancel = () => run.cancel(signal?.reason)
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        const reply = await run.start()
        spans?.end(undefined)
        return reply
      } catch (error) {
        endSpans(error)
        throw error
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    },
  }
}

/**
 * Reads the input and creates a run that has not started. The input must have only end-to-end headers, by lower-case
 * name.
 * @throws Problem for input that cannot be read, and if there are `faults`
 */
export function startRun(
  aggregate: AnyAggregate,
  input: RawInput,
  options: RunStartOptions,
  faults?: readonly Fault[],
): Run {
  const { vary } = aggregate.route
  const reads = vary && new HeaderReadTracker(vary)
  let read: ReadInput
  try {
    read = readInput(aggregate.route, input, faults, reads)
  } catch (error) {
    // A function in a schema may throw anything.
    const problem = toProblem(error)
    options.spans?.runEnded('failed', problem.code)
    throw problem
  }
  return new Run(aggregate, read, (input.headers ?? {}) as Run['headers'], options, reads)
}
