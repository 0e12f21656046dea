import { kindOf } from '../core/option-values.ts'

/** The merge of the snapshots of a stream: `false` for none, undefined for the merge of the reply. */
export type SnapshotMerge = false | ((args: never, pending: readonly string[]) => unknown) | undefined

/**
 * Returns the option `snapshot` of reply().
 *
 * @throws {TypeError} for a value that is neither `false` nor a function
 */
export function readSnapshot(owner: string, snapshot: SnapshotMerge): SnapshotMerge {
  if (snapshot === undefined || snapshot === false || typeof snapshot === 'function') return snapshot
  throw new TypeError(
    `${owner}: snapshot of reply() must be false or a function such as (args, pending) => ({ … }), ` +
      `got ${kindOf(snapshot)}`,
  )
}
