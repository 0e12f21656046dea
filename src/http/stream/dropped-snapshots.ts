import type { FastifyBaseLogger } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { faultOfSnapshot } from '../../fanout/snapshot-merge.ts'
import type { CallerCredentials } from '../log/caller-credentials.ts'
import type { LoggedWarnings } from '../reply/cache-control.ts'

/**
 * Logs a snapshot that was dropped: the first one of each aggregate as a warning, and the others for debugging, because
 * a merge that fails with the fallback of a step fails in most runs.
 *
 * @param pending the names of the steps that had not ended
 */
export function logDroppedSnapshot(
  aggregate: Pick<AnyAggregate, 'name'>,
  error: unknown,
  pending: readonly string[],
  logged: LoggedWarnings,
  credentials: CallerCredentials,
  log: Pick<FastifyBaseLogger, 'warn' | 'debug'>,
): void {
  const { name } = aggregate
  const key = `snapshot of ${name}`
  const level = logged.has(key) ? 'debug' : 'warn'
  logged.add(key)
  log[level]({ aggregate: name, pending, err: credentials.hideIn(error) }, faultOfSnapshot(aggregate, pending))
}
