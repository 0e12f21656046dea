import { UpstreamError } from '../errors.ts'
import { ignoreRejection } from '../core/promises.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { isChain, isItem, type Item } from './chain.ts'
import { labelOf, type Step } from './step.ts'

/**
 * Checks the list of calls that the function of an `each` or a `firstOf` returned. An `each` may have chains too.
 *
 * @param hasUpstreamInput True if the list may come from an answer. Otherwise it can only come from the caller's input.
 * @returns The calls to send: all of the list, or its first `maxItems` calls if the step truncates.
 * @throws TypeError for a value that is not a list of calls, a list of too few calls, and a chain in a `firstOf`
 * @throws UpstreamError `TOO_MANY_ITEMS` or `UPSTREAM_TOO_MANY_ITEMS`
 */
export function readCallList(step: Step, returned: unknown, hasUpstreamInput: boolean): readonly Item[] {
  const { name, kind, maxItems, overflow, count } = step
  if (!Array.isArray(returned) || !returned.every(isItem)) {
    // An unhandled rejection of a promise in the list would end the process.
    if (Array.isArray(returned)) returned.forEach(ignoreRejection)
    throw new TypeError(`${labelOf(step)} must return a list of calls`)
  }
  const calls: readonly Item[] = returned
  if (kind === 'firstOf' && calls.some(isChain))
    throw new TypeError(`${labelOf(step)} is a firstOf and returned a chain: return calls, or use each`)
  if (calls.length > maxItems) {
    if (overflow === 'truncate') return calls.slice(0, maxItems)
    const code = hasUpstreamInput ? 'UPSTREAM_TOO_MANY_ITEMS' : 'TOO_MANY_ITEMS'
    throw new UpstreamError(code, name, {
      detail: `${calls.length} items, and ${kind === 'each' ? 'maxItems' : 'the limit'} is ${maxItems}`,
    })
  }
  if (kind === 'firstOf' && calls.length < count)
    throw new TypeError(
      `${labelOf(step)} returned ${calls.length} calls for a count of ${count}: return at least ${count} calls`,
    )
  return calls
}

/**
 * Returns the number of calls to each upstream; `undefined` if all calls are to the same upstream. A chain counts as
 * its first call.
 */
export function countByUpstream(calls: readonly Item[]): ReadonlyMap<UpstreamSpec, number> | undefined {
  let counts: Map<UpstreamSpec, number> | undefined
  for (let index = 1; index < calls.length; index++) {
    const { upstream } = (calls[index] as Item).spec
    if (counts === undefined) {
      const { upstream: first } = (calls[0] as Item).spec
      if (upstream === first) continue
      counts = new Map([[first, index]])
    }
    counts.set(upstream, (counts.get(upstream) ?? 0) + 1)
  }
  return counts
}
