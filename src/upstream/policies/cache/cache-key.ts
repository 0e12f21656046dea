import type { LiveCall } from '../../call/call.ts'
import type { OperationSpec } from '../../spec/spec.ts'

/**
 * Makes the key that an answer is kept under: that of the call, and what is the same in each call of its operation but
 * not everywhere: where it goes, and whose it is.
 */
export function cacheKey(
  place: readonly [origin: string, identity: string | undefined],
  keyOf: (call: LiveCall<unknown>) => string,
): (call: LiveCall<unknown>) => string {
  const always = new WeakMap<OperationSpec, string>()
  return call => {
    const { spec } = call
    let prefix = always.get(spec)
    if (prefix === undefined) {
      const {
        method,
        accept,
        upstream: { headers, decompress },
      } = spec
      always.set(spec, (prefix = JSON.stringify([method, ...place, accept, headers, decompress])))
    }
    return prefix + keyOf(call)
  }
}
