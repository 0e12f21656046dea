import * as families from './families.ts'
import type { Add } from './family.ts'
import { callCodes, statuses } from './label-values.ts'
import type { LimitedOperation, LimitedOrigin, LimitedUpstream } from './limited-service.ts'
import { hedgeResults, refusedBodyCodes, retryKinds } from './operation-metrics.ts'
import { maxNamedOrigins, originResults, originStates } from './origin-readings.ts'
import { maxAttemptsOf } from './upstream-metrics.ts'
import { breakerStates, cacheResults } from './upstream-readings.ts'

/** Adds the combinations of the families of an upstream. */
export function addUpstream({ retry, breaker, caches, auth, origins }: LimitedUpstream, add: Add): void {
  if (origins !== undefined) addOrigins(origins, add)
  add(families.waits, 1 + (retry === false ? 0 : 1) + (auth !== undefined && 'oauth2' in auth ? 1 : 0))
  for (const family of [
    families.permitsInUse,
    families.permitsLimit,
    families.queueLength,
    families.retryBudgetBalance,
    families.connectionsOpened,
  ])
    add(family, 1)
  add(families.openConnections, 2)
  if (breaker !== false) {
    add(families.breakerState, breakerStates.length)
    add(families.breakerTransitions, breakerStates.length)
  }
  if (!caches) return
  add(families.cacheRequests, cacheResults.length)
  for (const family of [
    families.cacheRevalidations,
    families.cacheRefreshes,
    families.cacheStoreFaults,
    families.cacheEntries,
    families.cacheSize,
  ])
    add(family, 1)
}

function addOrigins(origins: readonly LimitedOrigin[], add: Add): void {
  const isDiscovered = origins.some(({ addresses, srv }) => addresses || srv !== undefined)
  const count = isDiscovered ? maxNamedOrigins + 1 : origins.length
  add(families.origins, originStates.length)
  add(families.originActiveAttempts, count)
  add(families.originLatency, count)
  add(families.originAttempts, count * originResults.length)
  add(families.originEjections, count)
  add(families.originPanicAttempts, 1)
}

/** Adds the combinations of the families of an operation. */
export function addOperation(upstream: LimitedUpstream, operation: LimitedOperation, add: Add): void {
  const { retry, hedge, layers } = upstream
  const { safe, coalesce, cache } = operation
  const hasLayers = layers.call.length + layers.attempt.length > 0
  // Only a custom layer can end a call with a code of another list.
  const codes = callCodes.values.length - (hasLayers ? 0 : 1)
  add(families.calls, 1 + codes)
  add(families.attempts, maxAttemptsOf(upstream))
  if (retry !== false) add(families.retries, retryKinds.length)
  if (hedge !== false && safe) add(families.hedges, hedgeResults.length)
  if (safe && (coalesce || cache !== undefined)) add(families.coalescedCalls, 1)
  add(families.clientDuration, responseCount(operation, hasLayers) + refusedBodyCodes.size + codes)
}

/** Returns the number of statuses of an answer, and of statuses that fail an attempt. */
function responseCount({ allowEmpty, nullOn, responses, cache }: LimitedOperation, hasLayers: boolean): number {
  if (hasLayers) return 2 * statuses.length
  const registered = statuses.slice(1, -1)
  // Every other status fails an attempt, a success too. Unregistered statuses are one value more.
  if (responses !== undefined) return responses.size + (cache === undefined ? 0 : 1) + registered.length + 1
  const unread = ['205', '206']
  const successes = registered.filter(status => status.startsWith('2') && !unread.includes(status))
  const absent = new Set(nullOn.map(String))
  if (allowEmpty) absent.add('205')
  if (cache !== undefined) absent.add('304')
  // Unregistered statuses are one value more, in both cases.
  return successes.length + 1 + absent.size + (registered.length - successes.length + 1)
}
