import type { UpstreamError } from '../errors.ts'
import type { AggregateMetrics } from '../metrics/aggregate-metrics.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import type { StepEvent } from './events.ts'
import type { Outcome, State } from './outcome.ts'
import type { Step, StepKind } from './step.ts'

/** A call that failed, that was refused for its input, or whose value is stale. It is logged. */
export interface LostCall {
  /** The index of the step; -1 for context(). */
  readonly step: number
  /** The operation with its upstream, for example `catfact-ninja.fact`. */
  readonly operation: string
  readonly error: UpstreamError
}

/** The number of lost calls per run above which only the first lost call of each step is added. */
const maxLost = 10

/** The summary of the events of one step. */
interface StepRecord {
  start: number | undefined
  attempts: number
  status: number | undefined
  cached: Cached | undefined
  end: Extract<StepEvent, { type: 'step ended' }> | undefined
}

const createRecord = (): StepRecord => ({
  start: undefined,
  attempts: 0,
  status: undefined,
  cached: undefined,
  end: undefined,
})

/** Combines the events of a run into one outcome per step. */
export class OutcomeRecorder {
  readonly #steps: readonly Step[]
  readonly #records: readonly StepRecord[]
  /** The record of context(); undefined before its first event. */
  #context: StepRecord | undefined
  /** The rehearsed faults that have acted, by the index of their step; undefined without one. */
  #faults: Map<number, string> | undefined
  /** The lost calls without duplicates, in the order of their events. */
  readonly lost: LostCall[] = []

  constructor(steps: readonly Step[]) {
    this.#steps = steps
    this.#records = steps.map(createRecord)
  }

  record(event: StepEvent): void {
    const record = event.step < 0 ? (this.#context ??= createRecord()) : (this.#records[event.step] as StepRecord)
    if (event.type === 'attempt started') record.attempts++
    else if (event.type === 'call ended') {
      record.status = event.status
      const insteadOf = event.cached?.insteadOf
      const error = event.error ?? insteadOf
      if (error !== undefined) this.addLost(event.step, event.operation, error)
      // context() may return a function that makes a call after context() has ended.
      if (insteadOf !== undefined && event.step < 0 && record.end?.state === 'ok')
        record.end = staleEnd(record.end, insteadOf)
      if (event.fault !== undefined) (this.#faults ??= new Map()).set(event.step, event.fault)
      if (event.cached !== undefined)
        record.cached = record.cached === undefined ? event.cached : worseOf(record.cached, event.cached)
    } else if (event.type === 'step started') record.start = event.at
    else if (event.type === 'step ended') record.end = event
  }

  /**
   * Adds a lost call, unless its step already has an equal one. The first lost call of each step is always kept,
   * because it may decide the outcome.
   */
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

  /** Returns the end of a step; undefined if the step has not ended. */
  endOf(index: number): StepEnd | undefined {
    return (this.#records[index] as StepRecord).end
  }

  /** Counts every step that has ended, context() too if it has an outcome. */
  count(metrics: AggregateMetrics, traceId: string | undefined): void {
    if (this.#context !== undefined) countStep(metrics, -1, this.#context, traceId)
    for (let index = 0; index < this.#records.length; index++)
      countStep(metrics, index, this.#records[index] as StepRecord, traceId)
  }

  /** Returns the outcome of one step, or of context() if the index is -1 and it had an event. */
  outcome(index: number): Outcome | undefined {
    const step = this.#steps[index]
    if (step !== undefined) return this.#outcomeOf(index, step.kind, this.#records[index] as StepRecord)
    return this.#context && this.#outcomeOf(-1, 'required', this.#context)
  }

  /** The outcome of context() if it had an event, then one per step, by name, in the order of declaration. */
  outcomes(): { [step: string]: Outcome } {
    const outcomes: { [step: string]: Outcome } = {}
    if (this.#context !== undefined) outcomes['context'] = this.#outcomeOf(-1, 'required', this.#context)
    for (const { name, kind, index } of this.#steps)
      outcomes[name] = this.#outcomeOf(index, kind, this.#records[index] as StepRecord)
    return outcomes
  }

  #outcomeOf(index: number, kind: StepKind, record: StepRecord): Outcome {
    return outcomeOf(kind, record, this.#faults?.get(index))
  }
}

function countStep(
  metrics: AggregateMetrics,
  index: number,
  { start, end }: StepRecord,
  traceId: string | undefined,
): void {
  if (start !== undefined && end !== undefined) metrics.step(index).ended(end.state, end.code, end.at - start, traceId)
}

type StepEnd = NonNullable<StepRecord['end']>

/** Returns the end with the state `stale`. It has the code only if context() made one call. */
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

/** Creates an outcome field by field, because object spread costs more than the rest of the function. */
function outcomeOf(
  kind: StepKind,
  { start, attempts, status, cached, end }: StepRecord,
  fault: string | undefined,
): Outcome {
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
  if (fault !== undefined) draft.fault = fault
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

/** Rounds to a tenth of a millisecond. Smaller differences are noise. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
