import { deepFreeze } from '../../../core/freeze.ts'
import type { KeyBatchSpec } from '../../spec/key-batch-spec.ts'
import type { OperationSpec } from '../../spec/spec.ts'

/**
 * Picks the value of a key from a stored batch.
 *
 * @param index the position of the key in the request of the batch
 * @throws `TypeError` if the batch does not have the key
 */
export function pickStored({ keyBatch }: OperationSpec, all: unknown, key: unknown, index: number): unknown {
  const value = (keyBatch as KeyBatchSpec).pick(deepFreeze(all), key, index)
  if (value === undefined) throw new TypeError('the stored batch does not have the key')
  return value
}

/**
 * Returns the JSON text of a value, from which `JSON.parse` makes an equal value; `undefined` if the value has parts
 * that JSON changes or omits, such as a date.
 */
export function exactText(value: unknown): string | undefined {
  return isExact(value) ? JSON.stringify(value) : undefined
}

function isExact(value: unknown): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object') return false
  // `Object.values` of a list with holes has fewer items than the list.
  const parts: readonly unknown[] = Object.values(value)
  if (Array.isArray(value) ? parts.length !== value.length : Object.getPrototypeOf(value) !== Object.prototype)
    return false
  return parts.every(isExact)
}
