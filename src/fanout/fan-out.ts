import type { Runtime } from '../upstream/runtime.ts'
import { toProblem, type Fault } from '../errors.ts'
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import { endToEnd, lowerCased } from './end-to-end.ts'
import { readInput, type RawInput, type ReadInput } from './input.ts'
import { HeaderReadTracker } from './reads.ts'
import type { Reply } from './reply.ts'
import { Run, type RunOptions } from './run.ts'

export interface FanOutOptions extends RunOptions {
  readonly runtime: Runtime
  /** Ends the run when its caller has gone. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs an aggregate once.
 * Rejects with a `Problem` (any code of the table but `BAD_REQUEST` to `DRAINING`), or with the reason of `signal`,
 * untouched.
 */
export async function fanOut<I, D, K extends string>(
  aggregate: Aggregate<I, D, K>,
  input: RawInput,
  options: FanOutOptions,
): Promise<Reply<D, K>> {
  const { signal } = options
  signal?.throwIfAborted()
  const run = startRun(aggregate, { ...input, headers: endToEnd(lowerCased(input.headers ?? {})) }, options)
  const cancel = () => run.cancel(signal?.reason)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return (await run.start()) as Reply<D, K>
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/**
 * Reads the input and makes a run that has not started. The headers of the input are end-to-end, by lower-case name.
 * @throws Problem for input that cannot be read, and for faults found before
 */
export function startRun(
  aggregate: AnyAggregate,
  input: RawInput,
  options: RunOptions,
  faults?: readonly Fault[],
): Run {
  const { vary } = aggregate.route
  const reads = vary && new HeaderReadTracker(vary)
  let read: ReadInput
  try {
    read = readInput(aggregate.route, input, faults, reads)
  } catch (error) {
    // A function in a schema may throw anything.
    throw toProblem(error)
  }
  return new Run(aggregate, read, (input.headers ?? {}) as Run['headers'], options, reads)
}
