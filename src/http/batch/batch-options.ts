import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import type { Operation } from '../../upstream/declare.ts'

/**
 * The limits of batches, and the operations that they may call.
 *
 * @example
 * ```ts
 * import type { BatchOptions, Operation } from 'headwaters'
 *
 * declare const shop: { readonly order: Operation<{ readonly id: string }, { readonly total: number }> }
 *
 * const batch: BatchOptions = { operations: [shop.order], maxCalls: 20 }
 * ```
 */
export interface BatchOptions {
  /**
   * The operations that batches may call. Each of them must be declared with `batch: true`. The aggregates with `batch:
   * true` need no entry.
   * @default []
   */
  readonly operations?: readonly Operation<never, unknown>[]
  /** The largest number of calls of one batch, from 1 to 1000. @default 100 */
  readonly maxCalls?: number
  /** The size of the body of one batch, in bytes. @default 1 MiB; in `buildApp` the `bodyBytes` of `limits` */
  readonly bodyBytes?: number
  /** The limit on a whole batch, in ms. A caller may shorten it. @default 5000 */
  readonly deadline?: number
  /** The size of all results of one batch together, in bytes. @default 16 MiB */
  readonly maxReplyBytes?: number
}

/** The limits of batches, with their defaults. */
export type BatchLimits = Required<BatchOptions>

const known: OptionKeys<BatchOptions> = {
  operations: true,
  maxCalls: true,
  bodyBytes: true,
  deadline: true,
  maxReplyBytes: true,
}

/**
 * Checks the option `batch` and adds its defaults. Returns `false` if batches are turned off.
 *
 * @param bodyBytes - The default of `bodyBytes`.
 */
export function readBatchOptions(
  owner: string,
  options: BatchOptions | false = {},
  bodyBytes = 1024 * 1024,
): BatchLimits | false {
  if (options === false) return false
  rejectUnknownOptions(owner, options, known, { group: 'batch' })
  const given = { maxCalls: 100, bodyBytes, deadline: 5000, maxReplyBytes: 16 * 1024 * 1024, ...options }
  return Object.freeze({
    operations: readOperations(owner, options.operations ?? []),
    maxCalls: wholeNumber(owner, 'batch.maxCalls', given.maxCalls, { max: 1000 }),
    bodyBytes: wholeNumber(owner, 'batch.bodyBytes', given.bodyBytes, { unit: 'bytes' }),
    deadline: wholeNumber(owner, 'batch.deadline', given.deadline, { unit: 'ms' }),
    maxReplyBytes: wholeNumber(owner, 'batch.maxReplyBytes', given.maxReplyBytes, { unit: 'bytes' }),
  })
}

function readOperations(owner: string, operations: unknown): BatchLimits['operations'] {
  if (Array.isArray(operations) && operations.every(each => typeof each === 'function'))
    return Object.freeze([...(operations as BatchLimits['operations'])])
  throw new TypeError(
    `${owner}: batch.operations must be a list of operations: batch: { operations: [catfactNinja.fact] }`,
  )
}
