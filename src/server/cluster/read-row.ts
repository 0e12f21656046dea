import type { RunRow } from '../../waterfall/kept-run.ts'
import { isList, isObject, isText, isTextOrNull, isTime, isWholeOrNull } from './message-values.ts'

const states: readonly unknown[] = ['complete', 'partial', 'failed', 'cancelled'] satisfies RunRow['state'][]
const callers: readonly unknown[] = ['waited', 'left', 'cut'] satisfies RunRow['caller'][]

/** Returns the row of a kept run that a worker has sent, or `undefined` for another value. */
export function readRow(value: unknown): RunRow | undefined {
  if (!isObject(value)) return undefined
  const { id, requestId, traceId, worker, aggregate, at, ms, state, status, code, isSlow, caller, upstreams, lost } =
    value
  const isRow =
    isText(id) &&
    isTextOrNull(requestId) &&
    isTextOrNull(traceId) &&
    isWholeOrNull(worker) &&
    isText(aggregate) &&
    isText(at) &&
    isTime(ms) &&
    states.includes(state) &&
    isWholeOrNull(status) &&
    isTextOrNull(code) &&
    typeof isSlow === 'boolean' &&
    callers.includes(caller) &&
    isList(upstreams, isText) &&
    isList(lost, isLost)
  return isRow ? (value as unknown as RunRow) : undefined
}

function isLost(value: unknown): value is RunRow['lost'][number] {
  return isObject(value) && isText(value['step']) && isText(value['code'])
}
