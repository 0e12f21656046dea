import { errors, type ErrorCode } from '../errors.ts'
import { runOutcomes } from './aggregate-metrics.ts'
import { batchCallStates } from './batch-metrics.ts'
import { bulkEnds, bulkResults, bulkStates } from './bulk-metrics.ts'
import { dnsErrors } from './dns-metrics.ts'
import * as families from './families.ts'
import type { Add, Family } from './family.ts'
import { methods, refusalCodes } from './label-values.ts'
import type { LimitedService } from './limited-service.ts'
import { addAggregate } from './max-aggregate-series.ts'
import { addOperation, addUpstream } from './max-upstream-series.ts'
import { commandResults, taskStates } from './readings.ts'
import { snapshotResults, streamEnds, streamFormats } from './stream-metrics.ts'

/** A family with its largest number of series. */
export interface FamilySeries {
  readonly family: Family
  readonly series: number
}

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
  add(families.bulkStoreFaults, 1)
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
