import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import { readFaults } from '../../src/fanout/rehearsal/read-faults.ts'
import type { Reply } from '../../src/fanout/reply.ts'
import type { Run } from '../../src/fanout/run.ts'
import type { RunOptions } from '../../src/fanout/run-options.ts'

/** A run with faults that has started. */
export interface Rehearsed {
  readonly run: Run
  readonly reply: Promise<Reply<unknown, string>>
  readonly events: readonly RunEvent[]
}

/** Starts a run with a list of faults, such as `meow=delay:500`. An empty list is a run without faults. */
export function rehearsed(
  aggregate: AnyAggregate,
  faults: string,
  options: RunOptions,
  input: RawInput = {},
): Rehearsed {
  const { rehearsal, reasons } = readFaults(faults, aggregate)
  if (reasons.length > 0) throw new Error(reasons.join('\n'))
  const events: RunEvent[] = []
  const run = startRun(aggregate, input, { ...options, rehearsal, onEvent: event => void events.push(event) })
  const reply = run.start()
  // A test that looks at the events first must not be ended by a rejection it reads later.
  reply.catch(() => {})
  return { run, reply, events }
}

/** Returns an outcome without its times, which differ from run to run. */
export function timeless({ start: _start, ms: _ms, ...rest }: Outcome): object {
  return rest
}
