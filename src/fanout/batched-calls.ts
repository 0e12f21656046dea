import type { Call } from '../upstream/call/call.ts'

/**
 * Returns the number of calls of an `each` that may be in flight. If all calls are keys of one operation with
 * `keyBatch`, the concurrency of the step counts batches of `maxKeys` calls.
 */
export function callsInFlight(concurrency: number, calls: readonly Call<unknown>[]): number {
  const spec = calls[0]?.spec
  if (spec?.keyBatch === undefined || calls.some(call => call.spec !== spec)) return concurrency
  return concurrency * spec.keyBatch.maxKeys
}
