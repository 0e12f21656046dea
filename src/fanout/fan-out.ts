import type { Runtime } from '../upstream/runtime.ts'
import { checkListener, checkObject } from '../core/option-values.ts'
import { startRunSpans } from '../otel/run-spans.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import { Problem, toProblem, type Fault } from '../errors.ts'
import { checkTrace } from '../trace/check-trace.ts'
import { continueTrace, requestTrace } from '../trace/request-trace.ts'
import type { TraceContext } from '../trace/trace-context.ts'
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import { endToEnd, lowerCased } from '../core/end-to-end.ts'
import { readInput, type RawInput, type ReadInput } from './input.ts'
import { HeaderReadTracker } from './reads.ts'
import type { Reply } from './reply.ts'
import { requireReply } from './require-reply.ts'
import { Run } from './run.ts'
import type { RunOptions, RunStartOptions } from './run-options.ts'

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
  return createTracedRun(aggregate, input, options).start()
}

/** A run with spans that has not started. */
export interface TracedRun<D, K extends string> {
  readonly run: Run
  /** Starts the run, and cancels it when the signal is aborted. */
  start(): Promise<Reply<D, K>>
}

/** The options of `fanOut`, and those of a run that only this package sets. */
export type TracedRunOptions = FanOutOptions & Pick<RunStartOptions, 'progress' | 'id' | 'rehearsal' | 'flow'>

/** Creates the run of `fanOut`. It throws what `fanOut` rejects with. */
export function createTracedRun<I, D, K extends string>(
  aggregate: Aggregate<I, D, K>,
  input: RawInput,
  options: TracedRunOptions,
): TracedRun<D, K> {
  requireReply('fanOut: the first argument', aggregate)
  const { signal, onEvent } = options
  checkListener('fanOut', onEvent)
  signal?.throwIfAborted()
  const { headers = {} } = input
  checkObject('fanOut', 'headers', headers, "{ 'accept-language': 'en' }")
  const inbound = endToEnd(lowerCased(headers))
  const trace =
    options.trace === undefined ? requestTrace(inbound, 0) : continueTrace(checkTrace('fanOut', 'trace', options.trace))
  const spans = startRunSpans(aggregate, trace)
  try {
    const run = startRun(
      aggregate,
      { ...input, headers: inbound },
      { ...options, trace: spans === undefined ? trace : spans.trace, spans },
    )
    return { run, start: () => startTraced(run, spans, signal) as Promise<Reply<D, K>> }
  } catch (error) {
    spans?.end(statusOf(error))
    throw error
  }
}

function startTraced(
  run: Run,
  spans: RunSpans | undefined,
  signal: AbortSignal | undefined,
): Promise<Reply<unknown, string>> {
  const cancel = () => run.cancel((signal as AbortSignal).reason)
  signal?.addEventListener('abort', cancel, { once: true })
  const ended = (status?: number) => {
    signal?.removeEventListener('abort', cancel)
    spans?.end(status)
  }
  return run.start().then(
    reply => {
      ended()
      return reply
    },
    (error: unknown) => {
      ended(statusOf(error))
      throw error
    },
  )
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Problem ? error.statusCode : undefined
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
