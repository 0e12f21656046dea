import type { Partition } from '../core/partition.ts'
import { addressOf, withOverride, type Override } from '../upstream/override.ts'
import { dividedSpec, scaledSpec } from '../upstream/spec/partition-spec.ts'
import { initialConcurrency, type UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Limit } from './explanation.ts'
import { fromOf } from './run-limits.ts'

/** The settings of a process that change the limits of upstreams. */
export interface LimitSettings {
  readonly overrides: Readonly<Record<string, Override>>
  /** Returns the name of the environment variable that set an override; undefined for an override of code. */
  readonly variableOf: (upstream: string, option: keyof Override) => string | undefined
  /** The share of the limits that one process has. @default all of them */
  readonly partition?: Partition | undefined
  /** The factor by which the number of file descriptors reduces permits and connections. @default 1 */
  readonly scale?: number | undefined
  /** True if the replicas of the service share state. @default false */
  readonly sharesState?: boolean | undefined
}

/** The options of an upstream that limit its calls, with their units. Options of groups have points in their names. */
const upstreamOptions: readonly (readonly [option: string, unit?: Limit['unit']])[] = [
  ['concurrency'],
  ['divideConcurrency'],
  ['maxQueue'],
  ['connections'],
  ['attemptTimeout', 'ms'],
  ['totalTimeout', 'ms'],
  ['connectTimeout', 'ms'],
  ['retry.maxAttempts'],
  ['retry.initialDelay', 'ms'],
  ['retry.maxDelay', 'ms'],
  ['retryBudget.ratio'],
  ['retryBudget.minPerSecond'],
  ['retryBudget.shared'],
  ['hedge.delay', 'ms'],
  ['hedge.percentile'],
  ['hedge.maxRatio'],
  ['breaker.failureRatio'],
  ['breaker.minimumCalls'],
  ['breaker.consecutiveFailures'],
  ['breaker.window', 'ms'],
  ['breaker.openDuration', 'ms'],
  ['breaker.maxOpenDuration', 'ms'],
  ['balance.ejection.consecutiveFailures'],
  ['balance.ejection.latencyRatio'],
  ['balance.ejection.duration', 'ms'],
  ['balance.ejection.maxDuration', 'ms'],
  ['balance.ejection.maxRatio'],
  ['balance.healthCheck.path'],
  ['balance.healthCheck.interval', 'ms'],
  ['balance.healthCheck.timeout', 'ms'],
  ['balance.healthCheck.unhealthyAfter'],
  ['balance.healthCheck.healthyAfter'],
  ['balance.slowStart', 'ms'],
  ['balance.panicRatio'],
  ['maxResponseBytes', 'bytes'],
  ['maxResponseHeaderBytes', 'bytes'],
  ['maxRequestBytes', 'bytes'],
  ['maxJsonValues'],
  ['maxCacheBytes', 'bytes'],
  ['redirects'],
  ['pipelining'],
]

/** Returns the limits of an upstream as they apply to one process. */
export function upstreamLimits(
  declared: UpstreamSpec,
  { overrides, variableOf, partition, scale = 1, sharesState = false }: LimitSettings,
  deadline: number,
): Limit[] {
  const override = (Object.hasOwn(overrides, declared.name) ? overrides[declared.name] : undefined) ?? {}
  const own = withOverride(declared, override)
  const divided = dividedSpec(own, partition, sharesState)
  const scaled = scaledSpec(divided, scale)
  const sourceOf = (option: string): string => {
    // The connections of an upstream follow an override of its concurrency.
    const by = option === 'connections' && own.connections !== declared.connections ? 'concurrency' : option
    if (Object.hasOwn(override, by) && override[by as keyof Override] !== undefined)
      return variableOf(declared.name, by as keyof Override) ?? 'override'
    return fromOf(declared, option)
  }
  const hasOrigins = addressOf(declared, override).origins !== undefined
  const limits: Limit[] = []
  for (const [option, unit] of upstreamOptions) {
    const group = option.slice(0, Math.max(0, option.lastIndexOf('.')))
    // A policy that is off is one limit.
    const isOff = group !== '' && valueOf(own, group) === false
    if (isOff && limits.some(({ name }) => name === group)) continue
    if (!isUsed(option, own, hasOrigins)) continue
    const value = isOff ? false : valueOf(scaled, option)
    limits.push({
      name: isOff ? group : option,
      value: (value ?? null) as Limit['value'],
      ...(unit !== undefined && !isOff && { unit }),
      from: sourceOf(isOff ? group : option),
      ...reduction(valueOf(own, option), valueOf(divided, option), value, partition),
      ...noteOf(option, scaled, deadline, sharesState),
    })
  }
  return limits
}

/** Returns whether an option has an effect on an upstream. */
function isUsed(option: string, spec: UpstreamSpec, hasOrigins: boolean): boolean {
  const { caches, balance, divideConcurrency, retryBudget } = spec
  if (option === 'maxCacheBytes') return caches
  if (option === 'divideConcurrency') return divideConcurrency
  if (option === 'retryBudget.shared') return retryBudget.shared
  if (option.startsWith('balance.healthCheck.')) return hasOrigins && balance.healthCheck !== undefined
  return hasOrigins || !option.startsWith('balance.')
}

function valueOf(spec: UpstreamSpec, option: string): unknown {
  let value: unknown = spec
  for (const name of option.split('.')) value = Object(value)[name]
  return value
}

/** Returns the value before it was divided or reduced, and the reason. */
function reduction(
  own: unknown,
  divided: unknown,
  scaled: unknown,
  partition: Partition | undefined,
): Pick<Limit, 'whole' | 'reducedBy'> | undefined {
  if (typeof own !== 'number' || own === scaled) return undefined
  const reasons = [
    ...(own === divided ? [] : [`1 of ${partition?.count} workers`]),
    ...(divided === scaled ? [] : ['file descriptors']),
  ]
  return { whole: own, reducedBy: reasons.join(', ') }
}

function noteOf(
  option: string,
  spec: UpstreamSpec,
  deadline: number,
  sharesState: boolean,
): Pick<Limit, 'note'> | undefined {
  if (option === 'divideConcurrency' || option === 'retryBudget.shared') {
    if (!sharesState) return { note: 'no effect: the replicas share no state' }
    return { note: option === 'divideConcurrency' ? 'among the live replicas' : 'by all replicas and workers' }
  }
  if (option === 'concurrency' && spec.concurrency === 'adaptive')
    return { note: `${spec.initialConcurrency ?? initialConcurrency} at first, then measured` }
  if (option === 'attemptTimeout' && spec.attemptTimeout > deadline)
    return { note: `the deadline of the run, ${deadline} ms, ends it before` }
  if (option === 'totalTimeout' && spec.totalTimeout === undefined) return { note: 'the rest of the deadline' }
  if (option === 'hedge.delay' && spec.hedge !== false && spec.hedge.delay === undefined)
    return { note: 'measured: the percentile of the latest calls' }
  return undefined
}
