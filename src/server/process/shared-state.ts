import type { FastifyBaseLogger } from 'fastify'
import { ConfigError, type Config } from '../../config.ts'
import type { AvailabilityChange } from '../../redis/serve/open-redis.ts'
import type { SharedState } from '../../upstream/shared-state.ts'

/** The shared state of one process of the service. */
export interface OpenSharedState {
  readonly state: SharedState
  /** Logs the changes of its availability, and those from before. */
  logTo(log: FastifyBaseLogger): void
}

/**
 * Opens the state that replicas share. Nothing of it is loaded if the configuration has no Redis.
 *
 * @param service - The name of the service, which its workers have in common.
 * @param processes - The number of its processes.
 * @throws `ConfigError` if the client cannot be created. A server that cannot be reached does not throw.
 */
export async function openSharedState(
  { redis }: Pick<Config, 'redis'>,
  service: string,
  processes: number,
): Promise<OpenSharedState | undefined> {
  if (redis === undefined) return undefined
  const log = new AvailabilityLog()
  const { openRedis } = await import('../../redis/serve/open-redis.ts')
  try {
    const state = await openRedis(redis, { service, processes, onAvailabilityChange: change => log.add(change) })
    return { state, logTo: target => log.writeTo(target) }
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(error.message, { cause: error })
    throw error
  }
}

/** Logs changes. The state opens before the app has a log, so the changes until then are kept. */
class AvailabilityLog {
  #log: FastifyBaseLogger | undefined
  #early: AvailabilityChange[] = []

  add(change: AvailabilityChange): void {
    if (this.#log === undefined) this.#early.push(change)
    else write(this.#log, change)
  }

  writeTo(log: FastifyBaseLogger): void {
    this.#log = log
    for (const change of this.#early) write(log, change)
    this.#early = []
  }
}

function write(log: FastifyBaseLogger, { isAvailable, reason }: AvailabilityChange): void {
  const fields = reason === undefined ? {} : { reason }
  if (isAvailable) log.info(fields, 'shared store available')
  else log.warn(fields, 'shared store unavailable; requests continue without it')
}
