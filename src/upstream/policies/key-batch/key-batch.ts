import type { LiveCall } from '../../call/live-call.ts'
import { headersForKeys, requestForKeys } from '../../call/key-call.ts'
import { callbackLayer, type Completion, type Layer, type Send } from '../../call/layer.ts'
import type { KeyBatchSpec } from '../../spec/key-batch-spec.ts'
import { BatchRequest, type Keys } from './batch-request.ts'
import { KeyMember } from './key-member.ts'

export interface KeyBatchLayerOptions {
  /** Returns the key of a request. Calls with equal keys send the same request. */
  readonly keyOf: (call: LiveCall<unknown>) => string
}

/**
 * Lets calls by key share requests. It collects the calls of one operation and one run that have equal headers until
 * the end of the turn of the event loop, and sends requests with up to `maxKeys` different keys each. The keys have the
 * order of their first calls. Each call gets the value of its own key, which is frozen.
 *
 * A failed request fails each of its calls. A call that is aborted leaves, and the last one aborts the request.
 */
export function keyBatch({ keyOf }: KeyBatchLayerOptions): Layer {
  /** Returns a text that is equal for calls of one operation with equal headers. */
  const headersOf = (call: LiveCall<unknown>) =>
    keyOf(Object.assign(call.withAbort(call.abort), { path: '', body: undefined }))

  return callbackLayer(next => {
    /** The calls of this turn, by run and by operation with headers. */
    const collected = new Map<object, Map<string, KeyMember[]>>()

    return (call, completion) => {
      const { spec, scope, abort } = call
      if (spec.keyBatch === undefined) return next(call, completion)
      if (abort.aborted) return completion.reject(abort.reason)
      const run = scope.batchGroup ?? scope.admitted
      let ofRun = collected.get(run)
      if (ofRun === undefined) {
        collected.set(run, (ofRun = new Map()))
        // A microtask would be too early: the answers that one turn reads lead to calls in several microtasks.
        setImmediate(() => {
          const all = collected.get(run) as Map<string, KeyMember[]>
          collected.delete(run)
          for (const members of all.values()) sendAll(next, members, keyOf)
        })
      }
      const headers = headersOf(call)
      const members = ofRun.get(headers)
      const member = new KeyMember(call, completion as Completion<unknown>)
      if (members === undefined) ofRun.set(headers, [member])
      else members.push(member)
    }
  })
}

/** Sends the keys of calls that have not left, in requests of up to `maxKeys`. */
function sendAll(next: Send, members: readonly KeyMember[], keyOf: KeyBatchLayerOptions['keyOf']): void {
  /** The calls by their request: calls with equal requests have equal keys. */
  const byKey = new Map<string, KeyMember[]>()
  for (const member of members) {
    if (!member.isWaiting) continue
    const key = keyOf(member.call)
    const equal = byKey.get(key)
    if (equal === undefined) byKey.set(key, [member])
    else equal.push(member)
  }
  const all = [...byKey.values()]
  const { maxKeys } = (members as [KeyMember])[0].call.spec.keyBatch as KeyBatchSpec
  for (let start = 0; start < all.length; start += maxKeys) {
    // A listener of an earlier request may have aborted these calls.
    const keys = all.slice(start, start + maxKeys).map(equal => equal.filter(({ isWaiting }) => isWaiting))
    sendBatch(
      next,
      keys.filter(({ length }) => length > 0),
    )
  }
}

/** Sends one request. `keys` has the calls of each key. */
function sendBatch(next: Send, keys: readonly (readonly KeyMember[])[]): void {
  if (keys.length === 0) return
  const request = new BatchRequest(keys as Keys)
  request.reportJoined()
  const call = request.firstCall()
  if (keys.length === 1) return next(call, request)
  let own
  try {
    const several = requestForKeys(
      call.spec,
      keys.map(equal => (equal as readonly [KeyMember])[0].call.key),
    )
    own = { path: several.path, body: several.body, headers: headersForKeys(call, several) }
  } catch (error) {
    return request.reject(error)
  }
  next(Object.assign(call, own), request)
}
