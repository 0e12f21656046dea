import { partition } from '../core/partition.ts'
import type { Bulkhead } from './policies/bulkhead/bulkhead.ts'
import { RetryBudget } from './policies/retry/retry-budget.ts'
import { SharedRetryBudget } from './policies/retry/shared-retry-budget.ts'
import type { SharedState } from './shared-state.ts'
import type { UpstreamSpec } from './spec/spec.ts'

/** Returns the retry budget of an upstream. */
export function retryBudgetOf({ retryBudget }: UpstreamSpec, shared: SharedState | undefined): RetryBudget {
  return shared !== undefined && retryBudget.shared ? new SharedRetryBudget(retryBudget) : new RetryBudget(retryBudget)
}

/** The limits of an upstream that replicas can share. */
interface Limits {
  readonly budget: RetryBudget
  readonly permits: Pick<Bulkhead, 'setConcurrency'>
}

/** Shares the limits of an upstream for which its options say so. Returns a function that ends the sharing. */
export function shareLimits(
  { name, concurrency, divideConcurrency }: UpstreamSpec,
  { budget, permits }: Limits,
  shared: SharedState,
): () => void {
  const ends: (() => void)[] = []
  if (budget instanceof SharedRetryBudget) ends.push(shared.shareBudget(name, budget))
  // An override can make the limit of the upstream adaptive.
  if (divideConcurrency && concurrency !== 'adaptive') {
    const divide = () => permits.setConcurrency(Math.max(1, partition(concurrency, shared.replicas.services)))
    divide()
    ends.push(shared.replicas.onChange(divide))
  }
  return () => {
    for (const end of ends) end()
  }
}
