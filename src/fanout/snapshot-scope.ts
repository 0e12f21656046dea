import { AsyncLocalStorage } from 'node:async_hooks'

const merging = new AsyncLocalStorage<true>()

/** Calls the merge of a snapshot. In the code that it calls, also after an `await`, `isMergingSnapshot` is true. */
export function inSnapshotMerge<T>(merge: (args: never) => T, args: never): T {
  return merging.run(true, merge, args)
}

/** Returns true in the merge of a snapshot, which sends no calls: the merge of the reply would send them again. */
export function isMergingSnapshot(): boolean {
  return merging.getStore() === true
}
