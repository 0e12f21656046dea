import { isSameDatabase, readRedisUrl, type RedisConfig } from '../redis-config.ts'
import type { Values } from './environment.ts'

/** The folder, the queue and the limits of bulk runs. `buildApp` describes each field. */
export interface Bulk {
  readonly dir: string
  readonly queue?: { readonly url: string }
  readonly maxItems: number
  readonly maxBytes: number
  readonly maxRuns: number
  readonly retention: number
  readonly concurrency: number
}

export function bulkOf(data: Values): Bulk {
  return Object.freeze({
    dir: data.HEADWATERS_BULK_DIR,
    ...(data.HEADWATERS_BULK_URL !== '' && { queue: Object.freeze({ url: data.HEADWATERS_BULK_URL }) }),
    maxItems: data.BULK_MAX_ITEMS,
    maxBytes: data.BULK_MAX_BYTES,
    maxRuns: data.BULK_MAX_RUNS,
    retention: data.BULK_RETENTION_MS,
    concurrency: data.BULK_CONCURRENCY,
  })
}

/** Returns the faults of the queue of bulk runs. They do not contain its URL, which can have a password. */
export function bulkFaults(url: string, dir: string, redis: RedisConfig | undefined): string[] {
  if (url === '') return []
  const variable = 'HEADWATERS_BULK_URL'
  const address = readRedisUrl(url)
  if (typeof address === 'string') return [`${variable}: ${address}`]
  if (dir === '')
    return [`${variable}: requires HEADWATERS_BULK_DIR: set it to a folder that all machines share, or remove the URL`]
  if (redis === undefined || !isSameDatabase(address, redis)) return []
  return [
    `${variable}: is the server and the database of HEADWATERS_REDIS_URL: set another server, because a cache may ` +
      'evict its entries and a queue must not',
  ]
}
