import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import type { FollowedRequest } from '../../src/fanout/run-timeline.ts'
import type { Run } from '../../src/fanout/run.ts'
import type { RunStartOptions } from '../../src/fanout/run-options.ts'
import { KeptRuns, type KeptRunsOptions } from '../../src/kept/kept-runs.ts'
import type { KeptCall, KeptRun } from '../../src/waterfall/kept-run.ts'

/** A store that keeps each run, whatever the number of runs per second. */
export function keptRuns(options: Partial<KeptRunsOptions> = {}): KeptRuns {
  let clock = 0
  return new KeptRuns({ limit: 1000, hide: text => text, now: () => (clock += 1000), ...options })
}

export interface EndedOptions extends RunStartOptions {
  readonly store?: KeptRuns
  readonly input?: RawInput
  readonly request?: Partial<FollowedRequest>
  /** Called with the run after its start. @default the run goes on */
  readonly during?: (run: Run) => unknown
}

/** Runs an aggregate to its end, and returns the run as it is kept. */
export async function endedRun(
  aggregate: AnyAggregate,
  { store = keptRuns(), input = {}, request, during, ...options }: EndedOptions,
): Promise<KeptRun> {
  const { method, url: target } = aggregate.route
  const timeline = store.start(aggregate, { requestId: 'req-1', traceId: undefined, method, target, ...request })
  const run = startRun(aggregate, input, { ...options, timeline })
  const ended = run.start().catch(() => {})
  await during?.(run)
  await ended
  const kept = store.find(timeline.id)
  if (kept === undefined) throw new Error('the run is not kept')
  return kept
}

/** Returns the calls of a kept run, step by step. */
export function callsOf({ steps }: KeptRun): readonly KeptCall[] {
  return steps.flatMap(({ calls }) => calls)
}
