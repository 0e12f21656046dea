import type { LiveCall } from '../../call/call.ts'
import type { OperationSpec } from '../../spec/spec.ts'

/**
 * Creates the function that returns the cache key of a call. The key consists of the key of the call, and of a prefix
 * that all calls of an operation share: method, URL, credentials and headers.
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
