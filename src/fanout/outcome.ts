import type { RunEvent } from './events.ts'
import type { Step } from './step.ts'

/** How a step ended; a reply is complete when every step is `ok` or `skipped`. */
export type State = 'ok' | 'stale' | 'partial' | 'fallback' | 'skipped' | 'failed' | 'cancelled'

/** One lost call of a step that makes several. */
export interface Loss {
  readonly index: number
  readonly code: string
  /** The upstream's status, where it came that far. */
  readonly status?: number
}

/** What a caller is told of one step. */
export interface Outcome {
  readonly state: State
  /** When it started, in ms from the run's start; none when it never did. */
  start?: number
  /** How long it took, in ms. */
  ms: number
  /** How often its calls were sent. */
  attempts: number
  /** Calls it made, of a step that makes several. */
  calls?: number
  /** Calls that were answered. */
  ok?: number
  failed?: readonly Loss[]
  /** The upstream's status, of a step that makes one call. */
  status?: number
  /** Why it has no value of its own. */
  code?: string
}

/** What each step came to, in the order of declaration, read from a run's events. */
export function sourcesOf (steps: readonly Step[], events: readonly RunEvent[]): Record<string, Outcome> {
  const started: number[] = []
  const outcomes: (Outcome | undefined)[] = []
  const attempts: number[] = []
  const statuses: (number | undefined)[] = []

  for (const event of events) {
    if (event.type === 'step started') started[event.step] = event.at
    else if (event.type === 'call ended') {
      attempts[event.step] = (attempts[event.step] ?? 0) + event.attempts
      statuses[event.step] = event.status
    } else if (event.type === 'step ended') {
      const { step, at, state, code, tally } = event
      const start = started[step]
      const outcome: Outcome = { state, ms: start === undefined ? 0 : rounded(at - start), attempts: 0 }
      if (tally !== undefined) Object.assign(outcome, tally)
      if (start !== undefined) outcome.start = rounded(start)
      if (code !== undefined) outcome.code = code
      outcomes[step] = outcome
    }
  }

  const sources: Record<string, Outcome> = {}
  for (const { name, index, kind } of steps) {
    const outcome = outcomes[index] ?? { state: 'cancelled', ms: 0, attempts: 0 }
    outcome.attempts = attempts[index] ?? 0
    const status = statuses[index]
    if (status !== undefined && (kind === 'required' || kind === 'optional')) outcome.status = status
    sources[name] = outcome
  }
  return sources
}

/** To a tenth of a millisecond: what lies below says nothing. */
function rounded (ms: number): number {
  return Math.round(ms * 10) / 10
}
