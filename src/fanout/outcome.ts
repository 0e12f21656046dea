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
  readonly start?: number
  /** How long it took, in ms. */
  readonly ms: number
  /** How often its calls were sent. */
  readonly attempts: number
  /** Calls it made, of a step that makes several. */
  readonly calls?: number
  /** Calls that were answered. */
  readonly ok?: number
  readonly failed?: readonly Loss[]
  /** The upstream's status, of a step that makes one call. */
  readonly status?: number
  /** Why it has no value of its own. */
  readonly code?: string
}

/** What a run's events have said of one step so far. */
interface Account {
  start: number | undefined
  attempts: number
  status: number | undefined
  end: Extract<RunEvent, { type: 'step ended' }> | undefined
}

/** Reads a run's events as they come, and knows at any moment what each step came to. */
export class Ledger {
  readonly #steps: readonly Step[]
  readonly #accounts: readonly Account[]

  constructor (steps: readonly Step[]) {
    this.#steps = steps
    this.#accounts = steps.map(() => ({ start: undefined, attempts: 0, status: undefined, end: undefined }))
  }

  take (event: Exclude<RunEvent, { type: 'run ended' }>): void {
    const account = this.#accounts[event.step] as Account
    if (event.type === 'attempt started') account.attempts++
    else if (event.type === 'call ended') account.status = event.status
    else if (event.type === 'step started') account.start = event.at
    else if (event.type === 'step ended') account.end = event
  }

  /** Whether every step is `ok` or `skipped`. */
  get complete (): boolean {
    return this.#accounts.every(({ end }) => end?.state === 'ok' || end?.state === 'skipped')
  }

  /** One outcome a step, by name, in the order of declaration. */
  outcomes (): { [step: string]: Outcome } {
    return Object.fromEntries(this.#steps.map((step, index) => [step.name, outcomeOf(step, this.#accounts[index] as Account)]))
  }
}

function outcomeOf ({ kind }: Step, { start, attempts, status, end }: Account): Outcome {
  return {
    state: end?.state ?? 'cancelled',
    ...start !== undefined && { start: rounded(start) },
    ms: start === undefined || end === undefined ? 0 : rounded(end.at - start),
    attempts,
    ...end?.tally,
    ...status !== undefined && (kind === 'required' || kind === 'optional') && { status },
    ...end?.code !== undefined && { code: end.code },
  }
}

/** To a tenth of a millisecond: what lies below says nothing. */
function rounded (ms: number): number {
  return Math.round(ms * 10) / 10
}
