import { isChain, type Item } from './chain.ts'

/**
 * Returns the number of items of an `each` that may be in flight. If all items are calls for keys of one operation with
 * `keyBatch`, the concurrency of the step counts batches of `maxKeys` calls. The later calls of a chain can be those of
 * another operation, so a list with chains counts items.
 */
export function callsInFlight(concurrency: number, items: readonly Item[]): number {
  const keyBatch = items[0]?.spec.keyBatch
  if (keyBatch === undefined || items.some(each => each.spec.keyBatch !== keyBatch || isChain(each))) return concurrency
  return concurrency * keyBatch.maxKeys
}
