import { UpstreamError } from '../../../errors.ts'
import { deepFreeze } from '../../../core/freeze.ts'
import { ignoreRejection, promiseOf } from '../../../core/promises.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { Answer } from '../../call/layer.ts'
import type { KeyBatchSpec } from '../../spec/key-batch-spec.ts'

/**
 * Returns the answer of one key from the answer to its batch.
 *
 * @param index the position of the key in the request
 * @throws `UPSTREAM_KEY_MISSING` if the answer does not have the key
 */
export function pickAnswer(
  { spec, key }: LiveCall<unknown>,
  { received, ...answer }: Answer<unknown>,
  index: number,
): Answer<unknown> {
  const { value: all, status } = answer
  const value = (spec.keyBatch as KeyBatchSpec).pick(all, key, index)
  if (value === undefined)
    throw new UpstreamError('UPSTREAM_KEY_MISSING', spec.upstream.name, { upstreamStatus: status })
  if (promiseOf(value) !== undefined) {
    ignoreRejection(value)
    throw new TypeError(`${spec.name}: keyBatch.pick returned a promise: return the value of the key`)
  }
  deepFreeze(value)
  // A custom layer created or changed the answer, so that no cache may store its parts.
  if (received === undefined || received.value !== all) return { ...answer, value }
  // The validators are those of the batch. A request for the key alone has another representation.
  const { etag: _etag, 'last-modified': _modified, ...head } = received.head
  return { ...answer, value, received: { ...received, head, value, keyIndex: index } }
}
