import { kindOf } from '../../core/option-values.ts'
import type { AnyOperationOptions } from './operation-options.ts'

/** The calls that share an answer in flight. */
export interface CoalesceSpec {
  /** True if equal calls of one process share an answer. */
  readonly coalesce: boolean
  /** True if equal calls of all replicas share an answer through the store of the cache. */
  readonly coalesceReplicas: boolean
}

/** Checks the option `coalesce` of an operation. Calls of an operation with `cache` always share an answer in flight. */
export function checkCoalesce(
  name: string,
  { coalesce = false, cache = false, keyBatch }: AnyOperationOptions,
): CoalesceSpec {
  if (typeof coalesce !== 'boolean' && coalesce !== 'replicas') {
    const got = typeof coalesce === 'string' ? `'${coalesce as string}'` : kindOf(coalesce)
    throw new TypeError(`${name}: coalesce must be true, false or 'replicas', got ${got}`)
  }
  const coalesceReplicas = coalesce === 'replicas'
  if (coalesceReplicas && cache === false)
    throw new TypeError(
      `${name}: coalesce: 'replicas' needs cache, because replicas share an answer through its store: ` +
        'add cache, or use coalesce: true',
    )
  if (coalesceReplicas && keyBatch !== undefined)
    throw new TypeError(
      `${name}: coalesce: 'replicas' shares the answer of one call, and keyBatch sends calls together: ` +
        'use coalesce: true, or remove keyBatch',
    )
  return { coalesce: coalesce !== false || cache !== false, coalesceReplicas }
}
