import type { FastifyRequest } from 'fastify'
import type { BatchOffer } from '../../batch/offer.ts'
import type { BatchMetrics } from '../../metrics/batch-metrics.ts'
import type { StreamingServices } from '../stream/stream-task.ts'
import type { BatchLimits } from './batch-options.ts'

/** The services that the batches of one registration share. */
export interface BatchService {
  /** The services of the routes of the same registration. */
  readonly routes: StreamingServices
  readonly offer: BatchOffer
  readonly limits: BatchLimits
  readonly metrics: BatchMetrics
  /**
   * Counts the calls of a batch towards the rate limit of its client. The request itself is already counted.
   * @default no limit
   */
  readonly countCalls: ((request: FastifyRequest, calls: number) => Promise<void>) | undefined
}
