import { UpstreamError, type Problem } from '../../errors.ts'
import { causeChain } from '../../log/cause-chain.ts'
import type { CallerCredentials } from './caller-credentials.ts'
import { ownRefusals } from './failure-outcome.ts'
import { lossOf, type Loss } from './losses.ts'

/** A call of a batch that failed. */
export interface FailedCallOfBatch {
  /** The names of the upstream and of the operation, `catfact-ninja.fact`, or the name of the aggregate. */
  readonly operation: string
  readonly problem: Problem
}

/**
 * Returns one loss for all calls of a batch that failed in the same way; `undefined` without a loss. Failures that
 * the caller caused, and refusals of the service, are not losses.
 */
export function problemLosses(
  failures: readonly FailedCallOfBatch[],
  credentials: CallerCredentials,
): Loss[] | undefined {
  const losses = failures.filter(({ problem: { code, statusCode } }) => statusCode >= 500 && !ownRefusals.has(code))
  if (losses.length === 0) return undefined
  const groups = Map.groupBy(losses, ({ operation, problem: { code, cause } }) =>
    [operation, code, cause instanceof UpstreamError ? cause.upstreamStatus : undefined].join(' '),
  )
  return Array.from(groups.values(), group => {
    const [{ operation, problem }] = group as [FailedCallOfBatch]
    return lossOfProblem(operation, problem, group.length, credentials)
  })
}

function lossOfProblem(operation: string, problem: Problem, failed: number, credentials: CallerCredentials): Loss {
  const { code, cause } = problem
  if (cause instanceof UpstreamError && operation.includes('.')) {
    const outcome = { state: 'failed', ms: 0, attempts: 0 }
    return { ...lossOf({ step: 0, operation, error: cause }, outcome, credentials), failed }
  }
  const error = cause instanceof UpstreamError ? cause : undefined
  const why = causeChain(error ?? problem)
  return {
    code,
    upstream: undefined,
    operation,
    status: error?.upstreamStatus,
    failed,
    why: why && credentials.hide(why),
  }
}
