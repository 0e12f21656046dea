import { numberWithin, wholeNumber } from '../../core/bounds.ts'
import { refuseUnknown, type Known } from '../../core/option-keys.ts'
import type { BreakerOptions, BudgetOptions, HedgeOptions, RetryOptions, TrustedOptions, UpstreamOptions } from './options.ts'

/** When a second attempt is sent; without a delay after a percentile of the operation's own latencies. */
interface HedgeSpec extends Required<Omit<HedgeOptions, 'delay'>> {
  readonly delay: number | undefined
}

/** When an upstream's calls are sent again, sent twice, refused or put together; defaults are filled in. */
export interface PoliciesSpec {
  readonly retry: Required<RetryOptions> | false
  readonly hedge: HedgeSpec | false
  readonly budget: Required<BudgetOptions>
  readonly breaker: Required<BreakerOptions> | false
  readonly trusted: TrustedOptions | undefined
}

const retryOptions: Known<RetryOptions> = { attempts: true, delay: true, maxDelay: true }
const hedgeOptions: Known<HedgeOptions> = { delay: true, percentile: true, share: true }
const budgetOptions: Known<BudgetOptions> = { share: true, perSecond: true }
const breakerOptions: Known<BreakerOptions> = { failures: true, minimum: true, consecutiveFailures: true, window: true, open: true, maxOpen: true }
const trustedOptions: Known<TrustedOptions> = { pipelining: true }

/** Checks what a declaration says of them; throws a `TypeError` that names the option and what is allowed. */
export function checkPolicies (owner: string, { retry = {}, hedge = false, budget = {}, breaker = {}, trusted }: Pick<UpstreamOptions, keyof PoliciesSpec>): PoliciesSpec {
  return {
    retry: retry && retrySpec(owner, retry),
    hedge: hedge && hedgeSpec(owner, hedge === true ? {} : hedge),
    budget: budgetSpec(owner, budget),
    breaker: breaker && breakerSpec(owner, breaker),
    trusted: trusted && trustedSpec(owner, trusted),
  }
}

function trustedSpec (owner: string, options: TrustedOptions): TrustedOptions {
  refuseUnknown(owner, options, trustedOptions, 'trusted')
  wholeNumber(owner, 'trusted.pipelining', options.pipelining, { min: 2 })
  return Object.freeze({ pipelining: options.pipelining })
}

function retrySpec (owner: string, options: RetryOptions): Required<RetryOptions> {
  refuseUnknown(owner, options, retryOptions, 'retry')
  const { attempts = 2, delay = 25, maxDelay = 250 } = options
  wholeNumber(owner, 'retry.attempts', attempts, { min: 2 })
  wholeNumber(owner, 'retry.delay', delay, { min: 0, unit: 'ms' })
  wholeNumber(owner, 'retry.maxDelay', maxDelay, { min: 0, unit: 'ms' })
  return Object.freeze({ attempts, delay, maxDelay })
}

function hedgeSpec (owner: string, options: HedgeOptions): HedgeSpec {
  refuseUnknown(owner, options, hedgeOptions, 'hedge')
  const { delay, percentile = 98, share = 0.03 } = options
  if (delay !== undefined) wholeNumber(owner, 'hedge.delay', delay, { unit: 'ms' })
  numberWithin(owner, 'hedge.percentile', percentile, 50, 99.99)
  numberWithin(owner, 'hedge.share', share, 0, 1)
  return Object.freeze({ delay, percentile, share })
}

function budgetSpec (owner: string, options: BudgetOptions): Required<BudgetOptions> {
  refuseUnknown(owner, options, budgetOptions, 'budget')
  const { share = 0.2, perSecond = 10 } = options
  numberWithin(owner, 'budget.share', share, 0, 1)
  numberWithin(owner, 'budget.perSecond', perSecond, 0, 1_000_000)
  return Object.freeze({ share, perSecond })
}

function breakerSpec (owner: string, options: BreakerOptions): Required<BreakerOptions> {
  refuseUnknown(owner, options, breakerOptions, 'breaker')
  const { failures = 0.5, minimum = 20, consecutiveFailures = Math.max(20, minimum), window = 10_000, open = 5000, maxOpen = Math.max(60_000, open) } = options
  numberWithin(owner, 'breaker.failures', failures, 0.01, 1)
  wholeNumber(owner, 'breaker.minimum', minimum)
  wholeNumber(owner, 'breaker.consecutiveFailures', consecutiveFailures)
  wholeNumber(owner, 'breaker.window', window, { min: 100, unit: 'ms' })
  wholeNumber(owner, 'breaker.open', open, { unit: 'ms' })
  wholeNumber(owner, 'breaker.maxOpen', maxOpen, { min: open, unit: 'ms' })
  return Object.freeze({ failures, minimum, consecutiveFailures, window, open, maxOpen })
}
