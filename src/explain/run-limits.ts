import { isDeclared } from '../core/declared-options.ts'
import type { Route } from '../fanout/route.ts'
import type { Step } from '../fanout/step.ts'
import type { Limit } from './explanation.ts'

/** Returns the place where an option of a declaration was set. */
export function fromOf(checked: object, option: string): string {
  return isDeclared(checked, option) ? 'declared' : 'default'
}

/** Returns the limits of a run. */
export function runLimits(route: Route, deadline: number | undefined): Limit[] {
  const isShorter = deadline !== undefined && deadline < route.deadline
  return [
    {
      name: 'deadline',
      value: isShorter ? deadline : route.deadline,
      unit: 'ms',
      from: isShorter ? 'caller' : fromOf(route, 'deadline'),
    },
    {
      name: 'criticality',
      value: route.criticality,
      from: fromOf(route, 'criticality'),
      note: `weight ${route.flow.weight}`,
    },
  ]
}

/** Returns the limits of a step: all that its kind has. */
export function stepLimits(step: Step): Limit[] {
  const { kind, timeout, concurrency, maxItems, overflow, minSuccess, count } = step
  const limit = (name: string, value: Limit['value'], rest: Partial<Limit> = {}): Limit => ({
    name,
    value,
    from: fromOf(step, name),
    ...rest,
  })
  const most = kind === 'pages' ? 'maxPages' : 'maxItems'
  const isList = kind === 'each' || kind === 'pages'
  return [
    ...(timeout === undefined ? [] : [limit('timeout', timeout, { unit: 'ms' })]),
    ...(isList ? [limit(most, maxItems), limit('overflow', overflow)] : []),
    ...(isList && concurrency !== Infinity ? [limit('concurrency', concurrency)] : []),
    ...(kind === 'each' ? [limit('minSuccess', minSuccess ?? 'all')] : []),
    ...(kind === 'pages' ? [limit('onLoss', minSuccess === undefined ? 'fail' : 'keep')] : []),
    ...(kind === 'firstOf' ? [limit('count', count)] : []),
  ]
}
