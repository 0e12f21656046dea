import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { RunEvent, Tally } from '../../fanout/events.ts'
import type { State } from '../../fanout/outcome.ts'
import type { StepKind } from '../../fanout/step.ts'

/** What is known of one step of a run under way. */
export interface Row {
  readonly name: string
  readonly kind: StepKind
  state: 'waiting' | 'running' | State
  /** In ms from the run's start. */
  start: number | undefined
  end: number | undefined
  /** How often its calls were sent. */
  attempts: number
  /** Calls that were seen, those that have ended, and those that were answered. */
  calls: number
  done: number
  answered: number
  /** Calls beyond this may still wait for their turn, unseen. */
  readonly width: number
  status: number | undefined
  code: string | undefined
  tally: Tally | undefined
}

/** A run as its watcher sees it: what its events have said so far. */
export interface RunView {
  readonly name: string
  readonly target: string
  /** In ms from the run's start. */
  readonly deadline: number
  readonly rows: readonly Row[]
  over: { readonly at: number; readonly code: string | undefined } | undefined
}

/** The board of a run that has not started. */
export function createRunView({ name, route, steps }: AnyAggregate, deadline = Infinity): RunView {
  return {
    name,
    target: `${route.method} ${route.url}`,
    deadline: Math.min(deadline, route.deadline),
    rows: steps.map(step => ({
      name: step.name,
      kind: step.kind,
      state: 'waiting',
      start: undefined,
      end: undefined,
      attempts: 0,
      calls: 0,
      done: 0,
      answered: 0,
      width: step.concurrency,
      status: undefined,
      code: undefined,
      tally: undefined,
    })),
    over: undefined,
  }
}

/** Notes one event. */
export function applyEvent(board: RunView, event: RunEvent): void {
  if (event.type === 'run ended') {
    board.over = { at: event.at, code: event.code }
    return
  }
  const row = board.rows[event.step] as Row
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
      break
    case 'step ended':
      row.state = event.state
      row.end = event.at
      row.code = event.code
      row.tally = event.tally
      break
  }
}

/** Whether a step's own value is missing or not whole, so that the reply is not complete. */
export function isLost({ state }: Row): boolean {
  return state !== 'ok' && state !== 'skipped'
}

/**
 * Calls that ended, or were answered once the step is over, of all there are: `3/5`; with `+` when there may be more.
 */
export function callsOf({ kind, state, end, tally, done, answered, calls, width }: Row): string {
  if (kind !== 'each' && kind !== 'firstOf') return ''
  if (tally !== undefined) return `${tally.ok}/${tally.calls}`
  if (calls === 0) return ''
  if (end !== undefined) return `${answered}/${calls}`
  return `${done}/${calls}${state === 'running' && calls >= width ? '+' : ''}`
}
