import { Problem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { createTracedRun, type TracedRunOptions } from '../fanout/fan-out.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Reply } from '../fanout/reply.ts'
import { printableLines } from '../log/printable.ts'
import { PrintedStream } from './printed-stream.ts'
import type { WatchContext } from './run/watched.ts'
import { writeOutput } from './run/write-output.ts'

/** Runs an aggregate and prints the events of its stream to stdout, one per line, as they happen. */
export async function streamedRun(
  aggregate: AnyAggregate,
  input: RawInput,
  { deadline, rehearsal }: Pick<TracedRunOptions, 'deadline' | 'rehearsal'>,
  { runtime, signal, onEvent, printing }: WatchContext,
): Promise<Reply<unknown, string>> {
  const stream = new PrintedStream(
    aggregate,
    line => printing(() => writeOutput(`${line}\n`)),
    line => printing(() => process.stderr.write(`${printableLines(line)}\n`)),
  )
  const options = { runtime, deadline, rehearsal, signal, onEvent, progress: stream, id: stream.id }
  const traced = createTracedRun(aggregate, input, options)
  stream.follow(traced.run)
  try {
    const reply = await traced.start()
    stream.replied(reply)
    return reply
  } catch (error) {
    if (error instanceof Problem) stream.failed(error)
    throw error
  }
}
