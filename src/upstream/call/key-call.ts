import type { OperationSpec } from '../spec/spec.ts'
import type { KeyBatchSpec } from '../spec/key-batch-spec.ts'
import type { Call, KeyCall } from './call.ts'
import type { LiveCall } from './live-call.ts'
import { callFactory } from './create-call.ts'
import type { Fields } from './parse-input.ts'

/** Creates the request for several keys of an operation. */
type RequestFactory = (keys: readonly unknown[]) => Call<unknown>

const factories = new WeakMap<OperationSpec, RequestFactory>()

/**
 * Returns the function that creates a call from a key. It throws `CALL_INPUT_INVALID` for a key that the schemas of the
 * operation refuse.
 */
export function keyCallFactory(spec: OperationSpec): (key: unknown) => KeyCall<unknown> {
  const create = callFactory(spec) as (input: Fields) => Call<unknown>
  const { call } = spec.keyBatch as KeyBatchSpec
  const request: RequestFactory = keys => create(call(keys))
  factories.set(spec, request)
  return key => Object.assign(request(Object.freeze([key])), { key })
}

/**
 * Creates the request for several keys, each of which is valid alone.
 *
 * @throws `TypeError` if the schemas refuse the keys together
 */
export function requestForKeys(spec: OperationSpec, keys: readonly unknown[]): Call<unknown> {
  try {
    return (factories.get(spec) as RequestFactory)(Object.freeze(keys))
  } catch (cause) {
    throw new TypeError(
      `${spec.name}: each of ${keys.length} keys is valid, and keyBatch.call of all of them is not: ` +
        'lower maxKeys to what the schemas accept',
      { cause },
    )
  }
}

/**
 * Returns the headers of a request for several keys: those that `call` returns for all keys, and those that layers have
 * added to the call of the first key.
 */
export function headersForKeys(
  { spec, key, headers }: LiveCall<unknown>,
  several: Call<unknown>,
): Readonly<Record<string, string>> | undefined {
  if (spec.headers === undefined) return headers
  const alone: Readonly<Record<string, string>> = { ...requestForKeys(spec, [key]).headers }
  const added = Object.entries({ ...headers }).filter(([name, value]) => alone[name] !== value)
  return { ...several.headers, ...Object.fromEntries(added) }
}
