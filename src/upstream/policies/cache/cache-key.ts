import type { LiveCall } from '../../call/live-call.ts'
import type { OperationSpec } from '../../spec/spec.ts'

/** The place at which the answer of a call is stored. */
export interface Place {
  readonly key: string
  readonly uri: string
}

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
        keyBatch,
        upstream: { headers, decompress },
      } = spec
      const parts = [method, ...place, accept, headers, decompress]
      // The entry of a key may have the body of a batch, which another version of the operation must not read.
      if (keyBatch !== undefined) parts.push('keyBatch')
      always.set(spec, (prefix = JSON.stringify(parts)))
    }
    return prefix + keyOf(call)
  }
}

/** Returns the names of the parts that a cache key has before the key of the call, in the order of the parts. */
export function cacheKeyPartNames({ keyBatch }: OperationSpec): string[] {
  const always = ['method', 'origin', 'credentials', 'accept', 'headers of the upstream', 'decompress']
  return keyBatch === undefined ? always : [...always, 'keyBatch']
}
