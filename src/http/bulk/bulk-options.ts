import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkTextOption } from '../../core/option-values.ts'

/**
 * The folder and the limits of bulk runs.
 *
 * @example
 * ```ts
 * import type { BulkOptions } from 'headwaters/app'
 *
 * const bulk: BulkOptions = { dir: '/var/lib/headwaters', maxRuns: 2 }
 * ```
 */
export interface BulkOptions {
  /** The folder of the inputs and the results. It is created if it is missing. Processes of one machine may share it. */
  readonly dir: string
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

/** The options of bulk runs with their defaults. */
export type BulkSettings = Required<BulkOptions>

const known: OptionKeys<BulkOptions> = {
  dir: true,
  maxItems: true,
  maxBytes: true,
  maxRuns: true,
  retention: true,
  concurrency: true,
}

/** Checks the option `bulk` and adds its defaults. */
export function readBulkOptions(owner: string, options: BulkOptions): BulkSettings {
  rejectUnknownOptions(owner, options, known, { group: 'bulk' })
  checkTextOption(owner, 'bulk.dir', options.dir, "'/var/lib/headwaters'")
  const given = {
    maxItems: 1_000_000,
    maxBytes: 1024 ** 3,
    maxRuns: 10,
    retention: 604_800_000,
    concurrency: 16,
    ...options,
  }
  return Object.freeze({
    dir: given.dir,
    maxItems: wholeNumber(owner, 'bulk.maxItems', given.maxItems, { max: 1_000_000 }),
    maxBytes: wholeNumber(owner, 'bulk.maxBytes', given.maxBytes, { unit: 'bytes', max: 68_719_476_736 }),
    maxRuns: wholeNumber(owner, 'bulk.maxRuns', given.maxRuns),
    retention: wholeNumber(owner, 'bulk.retention', given.retention, { unit: 'ms', max: 31_536_000_000 }),
    concurrency: wholeNumber(owner, 'bulk.concurrency', given.concurrency, { max: 1000 }),
  })
}
