import type { RedisAddress } from '../../redis-config.ts'
import { clientOptions } from '../../redis/serve/ioredis-options.ts'
import { loadQueuePackages } from './load-packages.ts'
import { serverFault } from './server-fault.ts'

/** The longest time of the check, in ms. A server that does not reply within this time counts as down. */
const patienceMs = 2000

/**
 * Checks the server of a queue at the start of a service. A server that is down passes: the service starts without it.
 *
 * @param option The variable or the option with the URL, for the message of an error.
 * @throws `TypeError` if a package is missing, if the server may evict jobs, or if it does not have the database
 */
export async function checkQueue(address: RedisAddress, option: string): Promise<void> {
  const { Redis } = await loadQueuePackages(option)
  const client = new Redis({ ...clientOptions({ server: address, options: {} }), retryStrategy: null })
  client.on('error', () => {})
  const timer = Promise.withResolvers<undefined>()
  const timeout = setTimeout(() => timer.resolve(undefined), patienceMs)
  const read = async () => {
    await client.connect()
    return serverFault(client, address.db)
  }
  try {
    const reading = read().catch(() => undefined)
    const fault = await Promise.race([reading, timer.promise])
    if (fault !== undefined) throw new TypeError(`${option}: ${fault}`)
  } finally {
    clearTimeout(timeout)
    client.disconnect()
  }
}
