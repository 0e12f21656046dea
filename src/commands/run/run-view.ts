import { causeChain } from '../../log/cause-chain.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { RunEvent, CallCounts } from '../../fanout/events.ts'
import type { State } from '../../fanout/outcome.ts'
import type { StepKind } from '../../fanout/step.ts'

/** The state of one step of a run. */
export interface Row {
  readonly name: string
  readonly kind: StepKind
  state: 'waiting' | 'running' | State
  /** In ms from the run's start. */
  start: number | undefined
  end: number | undefined
  /** Attempts of all its calls. */
  attempts: number
  /** Calls that were started, that ended, and that were answered. */
  calls: number
  done: number
  answered: number
  /** Calls that run at once, at most; further calls may wait without an event. */
  readonly concurrency: number
  status: number | undefined
  code: string | undefined
  /** The innermost reason of its last failed call, with words of the upstream. */
  why: string | undefined
  tally: CallCounts | undefined
}

/** The state of a run, as far as its events tell. */
export interface RunView {
  readonly name: string
  readonly target: string
  /** In ms from the run's start. */
  readonly deadline: number
  /** One per step; that of context() is before them from its first event on. */
  rows: readonly Row[]
  readonly stepCount: number
  outcome: { readonly at: number; readonly code: string | undefined } | undefined
}

/** The view of a run that has not started. */
export function createRunView({ name, route, steps }: AnyAggregate, deadline = Infinity): RunView {
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
  }
}

/** Returns the row of a step. That of context(), which has the index -1, is added when it is first asked for. */
export function rowOf(view: RunView, step: number): Row {
  const at = view.rows.length - view.stepCount + step
  if (at >= 0) return view.rows[at] as Row
  const row = createRow({ name: 'context', kind: 'required', concurrency: 1 })
  view.rows = [row, ...view.rows]
  return row
}

/** Updates the view with an event. */
export function applyEvent(view: RunView, event: RunEvent): void {
  if (event.type === 'run ended') {
    view.outcome = { at: event.at, code: event.code }
    return
  }
  const row = rowOf(view, event.step)
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
      break
    case 'call ended':
      row.calls = Math.max(row.calls, event.call + 1)
      row.done++
      if (event.code === undefined) row.answered++
      row.status = event.status
      row.why = event.error && causeChain(event.error)
      // A function that context() has returned may ask a call after its end.
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

/** Returns true if a step failed or is incomplete, so that the reply is not complete. */
export function isLost({ state }: Row): boolean {
  return state !== 'ok' && state !== 'skipped'
}

/**
 * Calls that ended, or were answered once the step is over, of all there are: `3/5`; with `+` when there may be more.
 * Empty for a step of one call.
 */
export function callsOf({ kind, state, end, tally, done, answered, calls, concurrency }: Row): string {
  if (kind !== 'each' && kind !== 'firstOf' && calls < 2) return ''
  if (tally !== undefined) return `${tally.ok}/${tally.calls}`
  if (calls === 0) return ''
  if (end !== undefined) return `${answered}/${calls}`
  return `${done}/${calls}${state === 'running' && calls >= concurrency ? '+' : ''}`
}
