import type { BreakerChange, BreakerState, Runs } from '../../dashboard/protocol.ts'
import type { FromWorker } from './messages.ts'
import { isList, isObject, isText, isTime, isWhole } from './message-values.ts'
import { readRow } from './read-row.ts'

const breakerStates: readonly unknown[] = ['closed', 'open', 'half-open', 'none'] satisfies BreakerState[]

/** Returns the kept runs that a worker has sent, or `undefined` for another value. */
export function readKept({
  rows,
  more,
}: Readonly<Record<string, unknown>>): Extract<FromWorker, { readonly kind: 'kept' }> | undefined {
  return isList(rows, isRow) && isMore(more) ? { kind: 'kept', rows, more } : undefined
}

/** Returns the change of a circuit breaker that a worker has sent, or `undefined` for another value. */
export function readBreakerChange(value: unknown): BreakerChange | undefined {
  if (!isObject(value)) return undefined
  const { at, upstream, from, to } = value
  if (!isTime(at) || !isText(upstream) || !isBreakerState(from) || !isBreakerState(to)) return undefined
  return { type: 'breaker', at, upstream, from, to }
}

function isRow(value: unknown): value is Runs['rows'][number] {
  return readRow(value) !== undefined
}

function isMore(value: unknown): value is Runs['more'] {
  if (!isObject(value)) return false
  const { complete, partial, failed, cancelled } = value
  return isWhole(complete) && isWhole(partial) && isWhole(failed) && isWhole(cancelled)
}

function isBreakerState(value: unknown): value is BreakerState {
  return breakerStates.includes(value)
}
