import type { UpstreamError } from '../errors.ts'
import type { Cached } from '../upstream/spec/answer.ts'
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
  /**
   * How a cache answered, of a step that calls an operation with one: `hit` (fresh), `stale`, or `miss` (the upstream
   * was asked). Of several calls the last of these that is true of one.
   */
  readonly cache?: Cached['cache']
  /**
   * How old an answer is that was kept, and for how long it stays fresh, in whole seconds; of several the oldest and
   * the shortest.
   */
  readonly age?: number
  readonly ttl?: number
  /** Why it has no value of its own, or only an old one. */
  readonly code?: string
}

/** A call that was lost although its step is not, or whose answer is an old one: for the log. */
export interface LostCall {
  readonly step: number
  readonly error: UpstreamError
}

/** So many lost calls of one run are remembered. */
const mostLost = 10

/** What a run's events have said of one step so far. */
interface Account {
  start: number | undefined
  attempts: number
  status: number | undefined
  cached: Cached | undefined
  end: Extract<RunEvent, { type: 'step ended' }> | undefined
}

/** Reads a run's events as they come, and knows at any moment what each step came to. */
export class OutcomeRecorder {
  readonly #steps: readonly Step[]
  readonly #accounts: readonly Account[]
  readonly lost: LostCall[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#accounts = steps.map(() => ({
      start: undefined,
      attempts: 0,
      status: undefined,
      cached: undefined,
      end: undefined,
    }))
  }

  record(event: Exclude<RunEvent, { type: 'run ended' }>): void {
    const account = this.#accounts[event.step] as Account
    if (event.type === 'attempt started') account.attempts++
    else if (event.type === 'call ended') {
      account.status = event.status
      const error = event.error ?? event.cached?.insteadOf
      if (error !== undefined && this.lost.length < mostLost) this.lost.push({ step: event.step, error })
      if (event.cached !== undefined)
        account.cached = account.cached === undefined ? event.cached : worseOf(account.cached, event.cached)
    } else if (event.type === 'step started') account.start = event.at
    else if (event.type === 'step ended') account.end = event
  }

  /** Whether every step is `ok` or `skipped`. */
  get complete(): boolean {
    return this.#accounts.every(({ end }) => end?.state === 'ok' || end?.state === 'skipped')
  }

  /** One outcome a step, by name, in the order of declaration. */
  outcomes(): { [step: string]: Outcome } {
    const outcomes: { [step: string]: Outcome } = {}
    for (const step of this.#steps) outcomes[step.name] = outcomeOf(step, this.#accounts[step.index] as Account)
    return outcomes
  }
}

type Draft = { -readonly [Field in keyof Outcome]: Outcome[Field] }

/** Written field by field: spreads cost more than all the rest. */
function outcomeOf({ kind }: Step, { start, attempts, status, cached, end }: Account): Outcome {
  const state = end?.state ?? 'cancelled'
  const draft: Draft =
    start === undefined
      ? { state, ms: 0, attempts }
      : { state, start: rounded(start), ms: end === undefined ? 0 : rounded(end.at - start), attempts }
  if (end?.tally !== undefined) Object.assign(draft, end.tally)
  if (status !== undefined && (kind === 'required' || kind === 'optional')) draft.status = status
  if (cached !== undefined && answered.has(state)) addCacheFields(draft, cached)
  if (end?.code !== undefined) draft.code = end.code
  return draft
}

/** States of a step that has a value from its calls. */
const answered: ReadonlySet<State> = new Set(['ok', 'stale', 'partial'])

function addCacheFields(draft: Draft, { cache, age, ttl }: Cached): void {
  draft.cache = cache
  if (age === undefined || ttl === undefined) return
  draft.age = age
  draft.ttl = ttl
}

const byWorth = ['hit', 'stale', 'miss'] as const

/** What is true of two answers together. */
function worseOf(one: Cached, other: Cached): Cached {
  const [age, ttl] = [Math.max(one.age ?? -1, other.age ?? -1), Math.min(one.ttl ?? Infinity, other.ttl ?? Infinity)]
  return {
    cache: byWorth[Math.max(byWorth.indexOf(one.cache), byWorth.indexOf(other.cache))] as Cached['cache'],
    ...(age !== -1 && { age, ttl }),
  }
}

/** To a tenth of a millisecond: what lies below says nothing. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
