import type { Options } from './options.ts'
import type { Second, Tally } from './tally.ts'

/** How a run stands. */
export interface Progress {
  readonly options: Options
  readonly tally: Tally
  /** In ms from the start, the warm-up included. */
  readonly elapsedMs: number
  readonly inFlight: number
  readonly waiting: number
  /** The last second, if one is over. */
  readonly second: Second | undefined
  /** The p99 of each of the last seconds, in ms. */
  readonly history: readonly number[]
}

/** What is done at this moment. */
export function phaseOf({
  options: { warmUpMs, durationMs },
  elapsedMs,
}: Progress): 'warming up' | 'counting' | 'ending' {
  if (elapsedMs < warmUpMs) return 'warming up'
  return elapsedMs < warmUpMs + durationMs ? 'counting' : 'ending'
}
