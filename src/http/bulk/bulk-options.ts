import type { BulkStore } from '../../bulk/object-store.ts'
import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkObject, checkTextOption } from '../../core/option-values.ts'
import { readRedisUrl, type RedisAddress } from '../../redis-config.ts'

/** The queue and the limits of bulk runs. */
export interface BulkLimits {
  /**
   * The queue that distributes the work over the processes of several machines, which must share the inputs and the
   * results. It needs the packages `bullmq` and `ioredis`.
   * @default the processes of one machine share the work
   */
  readonly queue?: BulkQueueOptions
  /** The largest number of inputs of one run. @default 1_000_000 */
  readonly maxItems?: number
  /** The size of all inputs of one run, in bytes. @default 1 GiB */
  readonly maxBytes?: number
  /** The largest number of runs of one API key that have not ended; without keys, of all callers. @default 10 */
  readonly maxRuns?: number
  /** The time for which a run and its results are kept after its end, in ms. @default 604_800_000, 7 days */
  readonly retention?: number
  /** The largest number of items that this app runs at the same time. @default 16 */
  readonly concurrency?: number
}

/** The queue of bulk runs. */
export interface BulkQueueOptions {
  /** The URL of a Redis server that evicts nothing, such as `redis://user:password@host:6379/0`. */
  readonly url: string
}

/** The folder of the inputs and the results. */
export interface BulkFolder {
  /** It is created if it is missing. Without a queue, processes of one machine may share it. */
  readonly dir: string
  /** Excluded by `dir`. @default none */
  readonly store?: never
}

/** A store of the inputs and the results in place of a folder. */
export interface BulkObjectStore {
  /** The store, such as a bucket of an object store. */
  readonly store: BulkStore
  /** Excluded by `store`. @default none */
  readonly dir?: never
}

/**
 * The store, the queue and the limits of bulk runs. Either `dir` or `store` is required.
 *
 * @example
 * ```ts
 * import type { BulkOptions } from 'headwaters/app'
 *
 * const bulk: BulkOptions = { dir: '/var/lib/headwaters', maxRuns: 2 }
 * ```
 */
export type BulkOptions = BulkLimits & (BulkFolder | BulkObjectStore)

/** The options of bulk runs with their defaults. */
export interface BulkSettings extends Required<Omit<BulkLimits, 'queue'>> {
  readonly place: BulkFolder | BulkObjectStore
  /** The server of the queue. */
  readonly queue: RedisAddress | undefined
}

const known: OptionKeys<BulkLimits & Pick<BulkFolder, 'dir'> & Pick<BulkObjectStore, 'store'>> = {
  dir: true,
  store: true,
  queue: true,
  maxItems: true,
  maxBytes: true,
  maxRuns: true,
  retention: true,
  concurrency: true,
}

/** Checks the option `bulk` and adds its defaults. */
export function readBulkOptions(owner: string, options: BulkOptions): BulkSettings {
  rejectUnknownOptions(owner, options, known, { group: 'bulk' })
  const given = {
    maxItems: 1_000_000,
    maxBytes: 1024 ** 3,
    maxRuns: 10,
    retention: 604_800_000,
    concurrency: 16,
    ...options,
  }
  return Object.freeze({
    place: readPlace(owner, options),
    queue: options.queue && readQueue(owner, options.queue),
    maxItems: wholeNumber(owner, 'bulk.maxItems', given.maxItems, { max: 1_000_000 }),
    maxBytes: wholeNumber(owner, 'bulk.maxBytes', given.maxBytes, { unit: 'bytes', max: 68_719_476_736 }),
    maxRuns: wholeNumber(owner, 'bulk.maxRuns', given.maxRuns),
    retention: wholeNumber(owner, 'bulk.retention', given.retention, { unit: 'ms', max: 31_536_000_000 }),
    concurrency: wholeNumber(owner, 'bulk.concurrency', given.concurrency, { max: 1000 }),
  })
}

/** The functions of a store. */
const functions = ['create', 'read', 'has', 'list', 'remove'] as const

function readPlace(owner: string, { dir, store }: BulkFolder | BulkObjectStore): BulkFolder | BulkObjectStore {
  if (store === undefined) {
    checkTextOption(owner, 'bulk.dir', dir, "'/var/lib/headwaters'")
    return { dir }
  }
  if (dir !== undefined)
    throw new TypeError(`${owner}: the options bulk.dir and bulk.store exclude each other: remove one of them`)
  const missing = functions.find(name => typeof (store as Partial<BulkStore> | null)?.[name] !== 'function')
  if (missing !== undefined)
    throw new TypeError(`${owner}: bulk.store must have the functions ${functions.join(', ')}: add ${missing}`)
  return { store }
}

function readQueue(owner: string, queue: BulkQueueOptions): RedisAddress {
  checkObject(owner, 'bulk.queue', queue, "{ url: 'redis://127.0.0.1:6379/0' }")
  rejectUnknownOptions(owner, queue, { url: true }, { group: 'bulk.queue' })
  checkTextOption(owner, 'bulk.queue.url', queue.url, "'redis://127.0.0.1:6379/0'")
  const address = readRedisUrl(queue.url)
  if (typeof address === 'string') throw new TypeError(`${owner}: bulk.queue.url ${address}`)
  return address
}
