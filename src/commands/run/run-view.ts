import { causeChain } from '../../log/cause-chain.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { BareEvent, CallCounts } from '../../fanout/events.ts'
import type { State } from '../../fanout/outcome.ts'
import { hasSeveralCalls, type StepKind } from '../../fanout/step.ts'
import type { TimedStep, Timeline } from '../../waterfall/timeline.ts'
import { addCallEvent, type LiveCalls } from './call-timeline.ts'

/** The state of one step of a run. */
export interface Row {
  readonly name: string
  readonly kind: StepKind
  state: 'waiting' | 'running' | State
  /** The start of the step, in ms from the start of the run. */
  start: number | undefined
  /** The end of the step, in ms from the start of the run. */
  end: number | undefined
  /** The number of attempts of all calls of the step. */
  attempts: number
  /** The number of calls that have started. */
  calls: number
  /** The number of calls that have ended. */
  done: number
  /** The number of calls that have an answer. */
  answered: number
  /** The largest number of calls in flight at the same time. Calls that wait have no event. */
  readonly concurrency: number
  status: number | undefined
  code: string | undefined
  /** The innermost cause, if the call that ended last failed. It may contain text from the upstream. */
  why: string | undefined
  tally: CallCounts | undefined
  /** The rehearsed fault that acted on a call. */
  fault: string | undefined
  /** The times of the calls, in the order of their first events. */
  readonly timeline: LiveCalls
}

/** The state of a run, built from its events. */
export interface RunView {
  readonly name: string
  readonly target: string
  /** The deadline, in ms from the start of the run. */
  readonly deadline: number
  /** One row per step. The row of the `context` hook is added in front at the first event of the hook. */
  rows: readonly Row[]
  readonly stepCount: number
  outcome: { readonly at: number; readonly code: string | undefined } | undefined
}

/** The parts of an aggregate that its view has. A batch has them too. */
export interface ViewedAggregate {
  readonly name: string
  readonly route: Pick<AnyAggregate['route'], 'method' | 'url' | 'deadline'>
  readonly steps: readonly Pick<Row, 'name' | 'kind' | 'concurrency'>[]
}

/** Creates the view of a run that has not started. */
export function createRunView({ name, route, steps }: ViewedAggregate, deadline = Infinity): RunView {
  return {
    name,
    target: `${route.method} ${route.url}`,
    deadline: Math.min(deadline, route.deadline),
    rows: steps.map(createRow),
    stepCount: steps.length,
    outcome: undefined,
  }
}

function createRow({ name, kind, concurrency }: Pick<Row, 'name' | 'kind' | 'concurrency'>): Row {
  return {
    name,
    kind,
    state: 'waiting',
    start: undefined,
    end: undefined,
    attempts: 0,
    calls: 0,
    done: 0,
    answered: 0,
    concurrency,
    status: undefined,
    code: undefined,
    why: undefined,
    tally: undefined,
    fault: undefined,
    timeline: new Map(),
  }
}

/** Returns the row of a step. The index of the `context` hook is -1; the first access to its row creates the row. */
export function rowOf(view: RunView, step: number): Row {
  const at = view.rows.length - view.stepCount + step
  if (at >= 0) return view.rows[at] as Row
  const row = createRow({ name: 'context', kind: 'required', concurrency: 1 })
  view.rows = [row, ...view.rows]
  return row
}

/** Updates the view with an event. */
export function applyEvent(view: RunView, event: BareEvent): void {
  if (event.type === 'run started') return
  if (event.type === 'run ended') {
    view.outcome = { at: event.at, code: event.code }
    return
  }
  const row = rowOf(view, event.step)
  if (event.type !== 'step started' && event.type !== 'step ended') addCallEvent(row.timeline, event)
  switch (event.type) {
    case 'step started':
      row.state = 'running'
      row.start = event.at
      break
    case 'attempt started':
      row.attempts++
      row.calls = Math.max(row.calls, event.call + 1)
      break
    case 'attempt ended':
    case 'call waited':
    case 'call joined':
    case 'resend refused':
      break
    case 'call ended':
      row.calls = Math.max(row.calls, event.call + 1)
      row.done++
      if (event.code === undefined) row.answered++
      row.status = event.status
      row.why = event.error && causeChain(event.error)
      row.fault ??= event.fault
      // The `context` hook may return a function that sends a call after the hook has ended. If this call fails
      // and the cache answers it with a stale entry, the state `ok` is no longer correct and becomes `stale`.
      if (event.step < 0 && row.state === 'ok' && event.cached?.insteadOf !== undefined) {
        row.state = 'stale'
        if (row.tally === undefined) row.code = event.cached.insteadOf.code
      }
      break
    case 'step ended':
      row.state = event.state
      row.end = event.at
      row.code = event.code
      row.tally = event.tally
      break
  }
}

/** Returns the times of a run until now. */
export function timelineOf({ rows, deadline, outcome }: RunView, now: number): Timeline {
  return { end: outcome?.at ?? now, deadline, steps: rows.map(timedStep) }
}

function timedStep({ name, kind, state, code, start, end, fault, timeline }: Row): TimedStep {
  return {
    name,
    kind,
    needs: [],
    state,
    code: code ?? null,
    start: start ?? null,
    end: end ?? null,
    fault: fault ?? null,
    calls: [...timeline.values()],
  }
}

/** Returns true if the state of the step is neither `ok` nor `skipped`. A run with this step has no complete reply. */
export function isLost({ state }: Row): boolean {
  return state !== 'ok' && state !== 'skipped'
}

/**
 * Returns the progress of a step with several calls, for example `3/5`. The first number counts the calls that have
 * ended or, after the end of the step, the calls that have an answer. The second number counts all calls; a `+` after
 * it means that more calls may follow. Returns an empty text for a step with one call.
 */
export function callsOf({ kind, state, end, tally, done, answered, calls, concurrency }: Row): string {
  if (!hasSeveralCalls(kind) && calls < 2) return ''
  if (tally !== undefined) return `${tally.ok}/${tally.calls}`
  if (calls === 0) return ''
  if (end !== undefined) return `${answered}/${calls}`
  // The number of pages is not known before the last one.
  const mayGrow = kind === 'pages' || calls >= concurrency
  return `${done}/${calls}${state === 'running' && mayGrow ? '+' : ''}`
}
