import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import type { Reply } from '../../src/fanout/reply.ts'
import type { Run } from '../../src/fanout/run.ts'
import type { RunOptions } from '../../src/fanout/run-options.ts'

/** A run that has started, with everything it has told so far. */
export interface Watched {
  readonly run: Run
  readonly reply: Promise<Reply<unknown, string>>
  readonly events: readonly RunEvent[]
}

export function watched(aggregate: AnyAggregate, options: RunOptions, input: RawInput = {}): Watched {
  const events: RunEvent[] = []
  const run = startRun(aggregate, input, {
    ...options,
    onEvent(event) {
      events.push(event)
      options.onEvent?.(event)
    },
  })
  const reply = run.start()
  // A test that looks at the events first must not be ended by a rejection it reads later.
  reply.catch(() => {})
  return { run, reply, events }
}
