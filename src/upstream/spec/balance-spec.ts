import { numberWithin, wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkTextOption } from '../../core/option-values.ts'
import type { BalanceOptions, EjectionOptions, HealthCheckOptions } from './origin-options.ts'

/** Options of `balance` with all defaults. */
export interface BalanceSpec extends Required<Omit<BalanceOptions, 'ejection' | 'healthCheck'>> {
  readonly ejection: Required<EjectionOptions> | false
  readonly healthCheck: Required<HealthCheckOptions> | undefined
}

const balanceOptions: OptionKeys<BalanceOptions> = {
  ejection: true,
  healthCheck: true,
  slowStart: true,
  panicRatio: true,
}
const ejectionOptions: OptionKeys<EjectionOptions> = {
  consecutiveFailures: true,
  latencyRatio: true,
  duration: true,
  maxDuration: true,
  maxRatio: true,
}
const healthCheckOptions: OptionKeys<HealthCheckOptions> = {
  path: true,
  interval: true,
  timeout: true,
  unhealthyAfter: true,
  healthyAfter: true,
}

/** The shortest interval of health checks, in ms. */
const minInterval = 100

/**
 * Returns the options of `balance` with their defaults.
 *
 * @throws `TypeError` that names the option and the allowed values.
 */
export function balanceSpec(owner: string, options: BalanceOptions): BalanceSpec {
  rejectUnknownOptions(owner, options, balanceOptions, { group: 'balance' })
  const { ejection = {}, healthCheck, slowStart = 10_000, panicRatio = 0.5 } = options
  wholeNumber(owner, 'balance.slowStart', slowStart, { min: 0, unit: 'ms' })
  numberWithin(owner, 'balance.panicRatio', panicRatio, 0, 1)
  return Object.freeze({
    ejection: ejection === false ? false : ejectionSpec(owner, ejection),
    healthCheck: healthCheck === undefined ? undefined : healthCheckSpec(owner, healthCheck),
    slowStart,
    panicRatio,
  })
}

/** The options of an upstream without `balance`. */
export const defaultBalance: BalanceSpec = balanceSpec('the default', {})

function ejectionSpec(owner: string, options: EjectionOptions): Required<EjectionOptions> {
  rejectUnknownOptions(owner, options, ejectionOptions, { group: 'balance.ejection' })
  const {
    consecutiveFailures = 5,
    latencyRatio = 5,
    duration = 5000,
    maxDuration = Math.max(60_000, duration),
    maxRatio = 0.5,
  } = options
  wholeNumber(owner, 'balance.ejection.consecutiveFailures', consecutiveFailures)
  numberWithin(owner, 'balance.ejection.latencyRatio', latencyRatio, 1, 1000)
  wholeNumber(owner, 'balance.ejection.duration', duration, { unit: 'ms' })
  wholeNumber(owner, 'balance.ejection.maxDuration', maxDuration, { min: duration, unit: 'ms' })
  numberWithin(owner, 'balance.ejection.maxRatio', maxRatio, 0, 0.5)
  return Object.freeze({ consecutiveFailures, latencyRatio, duration, maxDuration, maxRatio })
}

function healthCheckSpec(owner: string, options: HealthCheckOptions): Required<HealthCheckOptions> {
  rejectUnknownOptions(owner, options, healthCheckOptions, { group: 'balance.healthCheck' })
  const { path, interval = 5000, timeout = Math.min(1000, interval), unhealthyAfter = 3, healthyAfter = 2 } = options
  checkTextOption(owner, 'balance.healthCheck.path', path, "'/health'")
  // URL changes dot segments, backslashes, a second host and characters that must be encoded.
  const { pathname = '', search = '' } = URL.parse(path, 'http://host.invalid') ?? {}
  if (pathname + search !== path)
    throw new TypeError(`${owner}: balance.healthCheck.path must be a path such as '/health', got '${path}'`)
  wholeNumber(owner, 'balance.healthCheck.interval', interval, { min: minInterval, unit: 'ms' })
  wholeNumber(owner, 'balance.healthCheck.timeout', timeout, { max: interval, unit: 'ms' })
  wholeNumber(owner, 'balance.healthCheck.unhealthyAfter', unhealthyAfter)
  wholeNumber(owner, 'balance.healthCheck.healthyAfter', healthyAfter)
  return Object.freeze({ path, interval, timeout, unhealthyAfter, healthyAfter })
}
