import type { Abort } from '../core/abort.ts'
import { compileParser, INVALID } from '../core/schema/parser.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { FrozenCopies } from './frozen-copies.ts'
import type { ReadInput } from './input.ts'
import { invoke } from './invoke.ts'
import type { PartialValues } from './partial-values.ts'
import { replyFault } from './reply-fault.ts'
import type { RunHandle } from './run-handle.ts'
import { inSnapshotMerge } from './snapshot-scope.ts'
import { StepArgs } from './step-args.ts'
import type { Step } from './step.ts'

/** The part of a run that invokes the merge of a snapshot. */
export interface SnapshotInvoker extends Pick<RunHandle, 'invoke' | 'spans'> {
  readonly abort: Abort
}

/** Returns true for an aggregate whose streams have snapshots. A reply without a body has none. */
export function hasSnapshots({ snapshot, statuses }: AnyAggregate): boolean {
  return snapshot !== false && statuses[0] !== 204
}

/** The part of the values of a run that tells whether a later snapshot is better. */
export type SnapshotMark = Pick<PartialValues, 'arrived' | 'pending'>

/**
 * Returns true if more values have arrived than at the last snapshot. A merge of its own may also show that a step has
 * ended with its fallback.
 */
export function isBetter({ snapshot }: AnyAggregate, now: SnapshotMark, last: SnapshotMark | undefined): boolean {
  if (last === undefined) return now.arrived > 0
  return now.arrived > last.arrived || (typeof snapshot === 'function' && now.pending.length < last.pending.length)
}

/** Returns the message for a snapshot whose merge has failed, or that the schema of the reply refuses. */
export function faultOfSnapshot({ name }: Pick<AnyAggregate, 'name'>, pending: readonly string[]): string {
  return (
    `aggregate '${name}': a snapshot could not be made before the end of '${pending.join("', '")}': ` +
    'write a merge that accepts their fallbacks and does not change its arguments, ' +
    'or give reply() the option snapshot'
  )
}

/**
 * Merges the values of a run so far. The merge gets frozen copies, so that it cannot change the values of the reply.
 *
 * @returns The merged value, which may be a promise and is not checked.
 * @throws anything that the merge throws
 */
export function mergeSnapshot(
  { merge, snapshot, steps }: AnyAggregate,
  run: SnapshotInvoker,
  { input, context, values, pending }: PartialValues,
  copies: FrozenCopies,
): unknown {
  const args = new StepArgs(copiedInput(input, copies), run, copies.of(context))
  const fields = args as unknown as Record<string, unknown>
  for (const step of steps) fields[step.name] = copiedValue(step, values[step.index], copies)
  const handler: (args: never) => unknown = typeof snapshot === 'function' ? given => snapshot(given, pending) : merge
  return invoke(run, given => inSnapshotMerge(handler, given), args, run.abort, 'merge')
}

/**
 * Reads the merged value of a snapshot with the schema of the reply.
 *
 * @returns The data of the snapshot.
 * @throws the reason for which the schema refuses the value
 */
export function readSnapshotData(aggregate: AnyAggregate, merged: unknown): unknown {
  const data = compileParser(aggregate.schema)(merged)
  if (data === INVALID) throw replyFault(aggregate, merged)
  return data
}

function copiedInput({ params, query, body, headers }: ReadInput, copies: FrozenCopies): ReadInput {
  return { params: copies.of(params), query: copies.of(query), body: copies.of(body), headers: copies.of(headers) }
}

/** A value of a step that `isFrozen` has frozen items; the list itself belongs to the reply, or is a new one. */
function copiedValue({ kind, isFrozen }: Step, value: unknown, copies: FrozenCopies): unknown {
  if (kind !== 'each' && kind !== 'pages') return isFrozen ? value : copies.of(value)
  const list = value as readonly unknown[]
  return isFrozen ? Object.freeze(list.slice()) : copies.ofItems(list)
}
