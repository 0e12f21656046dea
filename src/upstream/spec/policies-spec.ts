import { numberWithin, wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean } from '../../core/option-values.ts'
import type { BreakerOptions, RetryBudgetOptions, HedgeOptions, RetryOptions, UpstreamOptions } from './options.ts'
import { breakerRenames, hedgeRenames, retryBudgetRenames, retryRenames } from './renamed.ts'

/**
 * The options of hedging. Without `delay`, the second attempt is sent after a percentile of the operation's latencies.
 */
interface HedgeSpec extends Required<Omit<HedgeOptions, 'delay'>> {
  readonly delay: number | undefined
}

/** The options of the policies of an upstream, with their defaults. */
export interface PoliciesSpec {
  readonly retry: Required<RetryOptions> | false
  readonly hedge: HedgeSpec | false
  readonly retryBudget: Required<RetryBudgetOptions>
  readonly breaker: Required<BreakerOptions> | false
  readonly pipelining: number
}

const retryOptions: OptionKeys<RetryOptions> = { maxAttempts: true, initialDelay: true, maxDelay: true }
const hedgeOptions: OptionKeys<HedgeOptions> = { delay: true, percentile: true, maxRatio: true }
const retryBudgetOptions: OptionKeys<RetryBudgetOptions> = { ratio: true, minPerSecond: true, shared: true }
const breakerOptions: OptionKeys<BreakerOptions> = {
  failureRatio: true,
  minimumCalls: true,
  consecutiveFailures: true,
  window: true,
  openDuration: true,
  maxOpenDuration: true,
}

/** Checks the policies of a declaration. Throws a `TypeError` that names the option and the allowed values. */
export function checkPolicies(
  owner: string,
  {
    retry = {},
    hedge = false,
    retryBudget = {},
    breaker = {},
    pipelining = 1,
  }: Pick<UpstreamOptions, keyof PoliciesSpec>,
): PoliciesSpec {
  return {
    retry: retry === false ? false : retrySpec(owner, retry),
    hedge: hedge === false ? false : hedgeSpec(owner, hedge === true ? {} : hedge),
    retryBudget: retryBudgetSpec(owner, retryBudget),
    breaker: breaker === false ? false : breakerSpec(owner, breaker),
    pipelining: wholeNumber(owner, 'pipelining', pipelining),
  }
}

function retrySpec(owner: string, options: RetryOptions): Required<RetryOptions> {
  rejectUnknownOptions(owner, options, retryOptions, { group: 'retry', renamed: retryRenames })
  const { maxAttempts = 2, initialDelay = 25, maxDelay = 250 } = options
  wholeNumber(owner, 'retry.maxAttempts', maxAttempts, { min: 2 })
  wholeNumber(owner, 'retry.initialDelay', initialDelay, { min: 0, unit: 'ms' })
  wholeNumber(owner, 'retry.maxDelay', maxDelay, { min: 0, unit: 'ms' })
  return Object.freeze({ maxAttempts, initialDelay, maxDelay })
}

function hedgeSpec(owner: string, options: HedgeOptions): HedgeSpec {
  rejectUnknownOptions(owner, options, hedgeOptions, { group: 'hedge', renamed: hedgeRenames })
  const { delay, percentile = 98, maxRatio = 0.03 } = options
  if (delay !== undefined) wholeNumber(owner, 'hedge.delay', delay, { unit: 'ms' })
  numberWithin(owner, 'hedge.percentile', percentile, 50, 99.99)
  numberWithin(owner, 'hedge.maxRatio', maxRatio, 0, 1)
  return Object.freeze({ delay, percentile, maxRatio })
}

function retryBudgetSpec(owner: string, options: RetryBudgetOptions): Required<RetryBudgetOptions> {
  rejectUnknownOptions(owner, options, retryBudgetOptions, { group: 'retryBudget', renamed: retryBudgetRenames })
  const { ratio = 0.2, minPerSecond = 10, shared = false } = options
  numberWithin(owner, 'retryBudget.ratio', ratio, 0, 1)
  numberWithin(owner, 'retryBudget.minPerSecond', minPerSecond, 0, 1_000_000)
  checkBoolean(owner, 'retryBudget.shared', shared)
  return Object.freeze({ ratio, minPerSecond, shared })
}

function breakerSpec(owner: string, options: BreakerOptions): Required<BreakerOptions> {
  rejectUnknownOptions(owner, options, breakerOptions, { group: 'breaker', renamed: breakerRenames })
  const {
    failureRatio = 0.5,
    minimumCalls = 20,
    consecutiveFailures = Math.max(20, minimumCalls),
    window = 10_000,
    openDuration = 5000,
    maxOpenDuration = Math.max(60_000, openDuration),
  } = options
  numberWithin(owner, 'breaker.failureRatio', failureRatio, 0.01, 1)
  wholeNumber(owner, 'breaker.minimumCalls', minimumCalls)
  wholeNumber(owner, 'breaker.consecutiveFailures', consecutiveFailures)
  wholeNumber(owner, 'breaker.window', window, { min: 100, unit: 'ms' })
  wholeNumber(owner, 'breaker.openDuration', openDuration, { unit: 'ms' })
  wholeNumber(owner, 'breaker.maxOpenDuration', maxOpenDuration, { min: openDuration, unit: 'ms' })
  return Object.freeze({ failureRatio, minimumCalls, consecutiveFailures, window, openDuration, maxOpenDuration })
}
