import type { UpstreamError } from '../errors.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import type { RunEvent } from './events.ts'
import type { Outcome, State } from './outcome.ts'
import type { Step, StepKind } from './step.ts'

/** A call that failed, that was refused for its input, or whose value is stale. It is logged. */
export interface LostCall {
  /** The index of the step; -1 for context(). */
  readonly step: number
  /** With its upstream: `catfact-ninja.fact`. */
  readonly operation: string
  readonly error: UpstreamError
}

/** Lost calls that are kept per run, besides the first one of each step. */
const maxLost = 10

/** The events of one step so far, folded. */
interface StepRecord {
  start: number | undefined
  attempts: number
  status: number | undefined
  cached: Cached | undefined
  end: Extract<RunEvent, { type: 'step ended' }> | undefined
}

const createRecord = (): StepRecord => ({
  start: undefined,
  attempts: 0,
  status: undefined,
  cached: undefined,
  end: undefined,
})

/** Folds the events of a run into one outcome per step. */
export class OutcomeRecorder {
  readonly #steps: readonly Step[]
  readonly #records: readonly StepRecord[]
  /** The record of context(), from its first event on. */
  #context: StepRecord | undefined
  /** Losses that differ, in the order of their events. */
  readonly lost: LostCall[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#records = steps.map(createRecord)
  }

  record(event: Exclude<RunEvent, { type: 'run ended' }>): void {
    const record = event.step < 0 ? (this.#context ??= createRecord()) : (this.#records[event.step] as StepRecord)
    if (event.type === 'attempt started') record.attempts++
    else if (event.type === 'call ended') {
      record.status = event.status
      const insteadOf = event.cached?.insteadOf
      const error = event.error ?? insteadOf
      if (error !== undefined) this.addLost(event.step, event.operation, error)
      // A function that context() has returned may ask a call after its end.
      if (insteadOf !== undefined && event.step < 0 && record.end?.state === 'ok')
        record.end = staleEnd(record.end, insteadOf)
      if (event.cached !== undefined)
        record.cached = record.cached === undefined ? event.cached : worseOf(record.cached, event.cached)
    } else if (event.type === 'step started') record.start = event.at
    else if (event.type === 'step ended') record.end = event
  }

  /** Keeps a loss that differs from those of its step. The first loss of each step is always kept: it may decide. */
  addLost(step: number, operation: string, error: UpstreamError): void {
    let isFirst = true
    for (const other of this.lost) {
      if (other.step !== step) continue
      if (isAlike(other, operation, error)) return
      isFirst = false
    }
    if (isFirst || this.lost.length < maxLost) this.lost.push({ step, operation, error })
  }

  /** True if context() has had an event. */
  get hasContext(): boolean {
    return this.#context !== undefined
  }

  /** True if every step is `ok` or `skipped`, and context() too if it has an outcome. */
  get complete(): boolean {
    return (this.#context === undefined || isWhole(this.#context)) && this.#records.every(isWhole)
  }

  /** The outcome of context() if it had an event, then one per step, by name, in the order of declaration. */
  outcomes(): { [step: string]: Outcome } {
    const outcomes: { [step: string]: Outcome } = {}
    if (this.#context !== undefined) outcomes['context'] = outcomeOf('required', this.#context)
    for (const { name, kind, index } of this.#steps)
      outcomes[name] = outcomeOf(kind, this.#records[index] as StepRecord)
    return outcomes
  }
}

type StepEnd = NonNullable<StepRecord['end']>

/** As for calls before the end, there is a code if context() makes one call. */
function staleEnd(end: StepEnd, { code }: UpstreamError): StepEnd {
  return { ...end, state: 'stale', code: end.tally === undefined ? code : undefined }
}

function isAlike({ operation, error }: LostCall, otherOperation: string, other: UpstreamError): boolean {
  return operation === otherOperation && error.code === other.code && error.upstreamStatus === other.upstreamStatus
}

function isWhole({ end }: StepRecord): boolean {
  return end?.state === 'ok' || end?.state === 'skipped'
}

type Draft = { -readonly [Field in keyof Outcome]: Outcome[Field] }

/** Written field by field: spreads cost more than all the rest. */
function outcomeOf(kind: StepKind, { start, attempts, status, cached, end }: StepRecord): Outcome {
  const state = end?.state ?? 'cancelled'
  const draft: Draft =
    start === undefined
      ? { state, ms: 0, attempts }
      : { state, start: rounded(start), ms: end === undefined ? 0 : rounded(end.at - start), attempts }
  if (end?.tally !== undefined) Object.assign(draft, end.tally)
  if (status !== undefined && (kind === 'required' || kind === 'optional') && end?.tally === undefined)
    draft.status = status
  if (cached !== undefined && answeredStates.has(state)) addCacheFields(draft, cached)
  if (end?.code !== undefined) draft.code = end.code
  return draft
}

/** States of a step that has a value from its calls. */
const answeredStates: ReadonlySet<State> = new Set(['ok', 'stale', 'partial'])

function addCacheFields(draft: Draft, { cache, age, ttl }: Cached): void {
  draft.cache = cache
  if (age === undefined || ttl === undefined) return
  draft.age = age
  draft.ttl = ttl
}

const byWorth = ['hit', 'stale', 'miss'] as const

/** Combines two answers: the older age, the shorter ttl and the less fresh state. */
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
