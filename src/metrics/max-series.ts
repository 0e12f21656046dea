import { errors, type ErrorCode } from '../errors.ts'
import { codesOfState, runOutcomes, type StepState } from './aggregate-metrics.ts'
import { batchCallStates } from './batch-metrics.ts'
import { bulkEnds, bulkResults, bulkStates } from './bulk-metrics.ts'
import { dnsErrors } from './dns-metrics.ts'
import * as families from './families.ts'
import type { Family } from './family.ts'
import { allCodes, callCodes, methods, refusalCodes, statuses } from './label-values.ts'
import { hedgeResults, refusedBodyCodes, retryKinds } from './operation-metrics.ts'
import { commandResults, taskStates } from './readings.ts'
import { maxAttemptsOf, type CountedUpstream } from './upstream-metrics.ts'
import { snapshotResults, streamEnds, streamFormats } from './stream-metrics.ts'
import { maxNamedOrigins, originResults, originStates } from './origin-readings.ts'
import { breakerStates, cacheResults } from './upstream-readings.ts'

/** The part of an aggregate that limits its series. */
export interface LimitedAggregate {
  readonly route: { readonly method: string; readonly stream: boolean }
  readonly steps: readonly { readonly kind: string; readonly minSuccess: number | undefined }[]
  /** The statuses of its reply. */
  readonly statuses: readonly number[]
  readonly hooks: { readonly context: object | undefined }
}

/** The part of an operation that limits its series. */
export interface LimitedOperation {
  readonly safe: boolean
  readonly coalesce: boolean
  readonly cache: object | undefined
  readonly allowEmpty: boolean
  readonly nullOn: readonly number[]
  readonly responses?: ReadonlyMap<number, object> | undefined
}

/** The part of an upstream that limits its series. */
export interface LimitedUpstream extends CountedUpstream {
  readonly caches: boolean
  readonly layers: { readonly call: readonly unknown[]; readonly attempt: readonly unknown[] }
  readonly auth: object | undefined
  /** The origins; `undefined` for an upstream with one. */
  readonly origins: readonly LimitedOrigin[] | undefined
}

/** The part of an origin that limits its series. */
export interface LimitedOrigin {
  /** True if each address of its name is an origin. */
  readonly addresses: boolean
  /** The name of SRV records, each target of which is an origin. */
  readonly srv: string | undefined
}

/** The declarations that a service serves and calls. */
export interface LimitedService {
  readonly aggregates: readonly LimitedAggregate[]
  readonly upstreams: readonly {
    readonly spec: LimitedUpstream
    readonly operations: readonly LimitedOperation[]
  }[]
  /** The number of routes that are not routes of aggregates. */
  readonly otherRoutes: number
  /** The number of routes of bulk runs, each with one method; 0 if the service has none. */
  readonly bulkRoutes: number
}

/** A family with its largest number of series. */
export interface FamilySeries {
  readonly family: Family
  readonly series: number
}

/** The statuses with which a request of an aggregate can end beside those of its reply: none, 304, every 4xx and 5xx. */
const failureStatuses = statuses.filter(
  status => ['', '304', 'other'].includes(status) || status.startsWith('4') || status.startsWith('5'),
).length

/** The statuses with which a request without an aggregate can end: none, those of the routes, and those of refusals. */
export const otherStatuses: ReadonlySet<string> = new Set([
  '',
  '200',
  '204',
  '302',
  '304',
  '308',
  ...refusalCodes.values.flatMap(code =>
    Object.hasOwn(errors, code) ? [String(errors[code as ErrorCode].status)] : [],
  ),
])

/** The statuses with which a request for bulk runs can end. */
export const bulkStatuses: ReadonlySet<string> = new Set([...otherStatuses, '202', '206'])

/**
 * Returns the largest number of series of each family that a service with these declarations can have in one process.
 * A histogram has one series per bucket, and three more. Only combinations of label values that can occur are counted,
 * so no input of a caller and no answer of an upstream exceeds the number.
 */
export function maxSeries(service: LimitedService): readonly FamilySeries[] {
  const combinations = new Map<Family, number>()
  const add = (family: Family, count: number) => combinations.set(family, (combinations.get(family) ?? 0) + count)
  addService(service, add)
  for (const aggregate of service.aggregates) addAggregate(aggregate, add)
  for (const { spec, operations } of service.upstreams) {
    addUpstream(spec, add)
    for (const operation of operations) addOperation(spec, operation, add)
  }
  return families.families.map(family => ({
    family,
    series: (combinations.get(family) ?? 0) * (family.buckets === undefined ? 1 : family.buckets.length + 3),
  }))
}

type Add = (family: Family, combinations: number) => void

function addService({ otherRoutes, bulkRoutes }: LimitedService, add: Add): void {
  const methodCount = methods.values.length
  // Requests without a route, GET and HEAD of the other routes, and POST and QUERY of batches.
  add(families.serverDuration, (methodCount + 2 * otherRoutes + 2) * otherStatuses.size)
  add(families.serverDuration, bulkRoutes * bulkStatuses.size)
  add(families.activeRequests, methodCount)
  add(families.requestsRefused, refusalCodes.values.length)
  add(families.openStreams, 1)
  add(families.streams, streamFormats.length * streamEnds.length)
  add(families.snapshots, snapshotResults.length)
  add(families.batches, runOutcomes.length)
  add(families.batchCalls, batchCallStates.length)
  add(families.bulkItems, bulkResults.length)
  add(families.bulkRuns, bulkStates.length)
  add(families.bulkRunsEnded, bulkEnds.length)
  add(families.bulkQueueAvailable, 1)
  add(families.dnsDuration, dnsErrors.values.length)
  add(families.sharedStoreAvailable, 1)
  add(families.sharedStoreCommands, commandResults.length)
  add(families.sharedStoreMemoryHits, 1)
  add(families.replicas, 1)
  add(families.offloadTasks, taskStates.length)
  add(families.logLinesLost, 1)
  add(families.reloads, 2)
  add(families.reloadTime, 1)
  add(families.reloadRefused, 1)
  add(families.heapLimit, 1)
  add(families.buildInfo, 1)
}

function addAggregate({ route, steps, statuses: own, hooks }: LimitedAggregate, add: Add): void {
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

function addUpstream({ retry, breaker, caches, auth, origins }: LimitedUpstream, add: Add): void {
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

function addOperation(upstream: LimitedUpstream, operation: LimitedOperation, add: Add): void {
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
