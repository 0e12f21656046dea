import { codesOfState, runOutcomes, type StepState } from './aggregate-metrics.ts'
import * as families from './families.ts'
import type { Add } from './family.ts'
import { allCodes, statuses } from './label-values.ts'
import type { LimitedAggregate } from './limited-service.ts'

/** The statuses with which a request of an aggregate can end beside those of its reply: none, 304, every 4xx and 5xx. */
const failureStatuses = statuses.filter(
  status => ['', '304', 'other'].includes(status) || status.startsWith('4') || status.startsWith('5'),
).length

/** Adds the combinations of the families of an aggregate. */
export function addAggregate({ route, steps, statuses: own, hooks }: LimitedAggregate, add: Add): void {
  // A stream has the status 200, and 204 if it must not be repeated.
  const replied = new Set(route.stream ? [...own, 200, 204] : own)
  add(families.serverDuration, (route.method === 'GET' ? 2 : 1) * (failureStatuses + replied.size))
  add(families.runs, runOutcomes.length - 1 + allCodes.values.length)
  add(families.runDuration, runOutcomes.length)
  add(families.runDeadlineLeft, 1)
  const all = hooks.context === undefined ? steps : [...steps, { kind: 'context', minSuccess: undefined }]
  for (const step of all) {
    const states = statesOf(step)
    add(families.stepDuration, states.length)
    for (const state of states) add(families.steps, codeCountOf(state, step.kind))
  }
}

/** Returns the states in which a step can end. */
function statesOf({ kind, minSuccess }: LimitedAggregate['steps'][number]): StepState[] {
  const states: StepState[] = ['ok', 'stale', 'failed', 'cancelled']
  const isList = kind === 'each' || kind === 'pages'
  if (isList) states.push('partial')
  if (isList || kind === 'optional') states.push('skipped')
  if (kind === 'optional' || (isList && minSuccess === 0)) states.push('fallback')
  return states
}

/**
 * Returns the number of codes of a step in a state. A stale step has the code of its call. With several calls it has no
 * code, and context() may make one call or several.
 */
function codeCountOf(state: StepState, kind: string): number {
  if (state === 'stale') {
    if (kind === 'each' || kind === 'firstOf' || kind === 'pages') return 1
    return codesOfState.stale.length + (kind === 'context' ? 1 : 0)
  }
  return state === 'failed' || state === 'fallback' ? codesOfState[state].length : 1
}
