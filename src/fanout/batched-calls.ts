import { isChain, type Item } from './chain.ts'

/**
 * Returns the number of items of an `each` that may be in flight. If all items are calls for keys of one operation with
 * `keyBatch`, the concurrency of the step counts batches of `maxKeys` calls.
 */
export function callsInFlight(concurrency: number, items: readonly Item[]): number {
  return concurrency * callsPerRequest(items)
}

/**
 * Returns the number of items of a list that may share a request. The later calls of a chain can be those of another
 * operation, so an item of a list with chains counts as a request.
 */
export function callsPerRequest(items: readonly Item[]): number {
  const keyBatch = items[0]?.spec.keyBatch
  if (keyBatch === undefined || items.some(each => each.spec.keyBatch !== keyBatch || isChain(each))) return 1
  return keyBatch.maxKeys
}
