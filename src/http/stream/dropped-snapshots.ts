import type { FastifyBaseLogger } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { CallerCredentials } from '../log/caller-credentials.ts'
import type { LoggedWarnings } from '../reply/cache-control.ts'

/**
 * Logs a snapshot that was dropped: the first one of each aggregate as a warning, and the others for debugging, because
 * a merge that fails with a fallback fails in most runs.
 *
 * @param pending the names of the steps that had not ended
 */
export function logDroppedSnapshot(
  { name }: Pick<AnyAggregate, 'name'>,
  error: unknown,
  pending: readonly string[],
  logged: LoggedWarnings,
  credentials: CallerCredentials,
  log: Pick<FastifyBaseLogger, 'warn' | 'debug'>,
): void {
  const key = `snapshot of ${name}`
  const level = logged.has(key) ? 'debug' : 'warn'
  logged.add(key)
  log[level](
    { aggregate: name, pending, err: credentials.hideIn(error) },
    `aggregate '${name}': a snapshot of a stream was dropped, because it could not be made while steps had not ended: ` +
      'give reply() the option snapshot with a merge for such steps, or snapshot: false',
  )
}
