import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkFunction } from '../../core/option-values.ts'
import { isPrototype } from '../../core/freeze.ts'
import type { ListedStatuses } from './check-responses.ts'
import type { KeyBatchOptions } from './key-batch-options.ts'
import type { AnyOperationOptions } from './operation-options.ts'

type Fields = Readonly<Record<string, unknown>>

/** The checked options of a batch of keys. */
export interface KeyBatchSpec {
  readonly maxKeys: number
  readonly call: (keys: readonly unknown[]) => Fields
  readonly pick: (answer: unknown, key: unknown, index: number) => unknown
}

const known: OptionKeys<KeyBatchOptions<never, never, never, never>> = { maxKeys: true, call: true, pick: true }

/** The limit on `maxKeys`. The values of a batch are picked in one turn of the event loop. */
const mostKeys = 1000

/**
 * Checks the option `keyBatch` of an operation. Returns `undefined` without it.
 *
 * @param isSafe True if a call of the operation changes nothing at the upstream.
 * @param listed The statuses of `responses`.
 */
export function keyBatchSpec(
  name: string,
  isSafe: boolean,
  options: AnyOperationOptions,
  listed: ListedStatuses | undefined,
): KeyBatchSpec | undefined {
  const { keyBatch, params, query, body, bodyType, responseHeaders } = options
  if (keyBatch === undefined) return undefined
  rejectUnknownOptions(name, keyBatch, known, { group: 'keyBatch' })
  const { maxKeys, call, pick } = keyBatch
  wholeNumber(name, 'keyBatch.maxKeys', maxKeys)
  if (maxKeys > mostKeys)
    throw new TypeError(`${name}: keyBatch.maxKeys must be at most ${mostKeys}, got ${maxKeys}: lower it`)
  checkFunction(name, 'keyBatch.call', call, '(ids: readonly string[]) => ({ ids })')
  checkFunction(name, 'keyBatch.pick', pick, '(prices, id) => prices.find(price => price.id === id)')
  if (!isSafe)
    throw new TypeError(
      `${name}: keyBatch needs an operation that changes nothing, such as a GET: its calls share one request`,
    )
  if (params === undefined && query === undefined && body === undefined)
    throw new TypeError(
      `${name}: keyBatch needs a schema for the keys in a request: ` +
        'declare params, query or body, for example query: z.object({ ids: z.array(z.string()) })',
    )
  if (responseHeaders !== undefined)
    throw new TypeError(
      `${name}: response headers belong to a batch and not to a key: remove responseHeaders or keyBatch`,
    )
  if (bodyType === 'multipart')
    throw new TypeError(
      `${name}: each multipart body has another boundary, so no two keys are equal: ` +
        "remove keyBatch, or use another bodyType such as 'form'",
    )
  checkListed(name, listed)
  return Object.freeze({ maxKeys, call, pick: ownValue(pick) }) as unknown as KeyBatchSpec
}

/**
 * Wraps `pick`: a function and a prototype are not the value of a key. `answer[key]` is one of them for a key such as
 * `constructor` or `__proto__`, which every object inherits.
 */
function ownValue(pick: (...given: never) => unknown): KeyBatchSpec['pick'] {
  return (answer, key, index) => {
    const value = (pick as KeyBatchSpec['pick'])(answer, key, index)
    const isInherited = typeof value === 'object' && value !== null ? isPrototype(value) : typeof value === 'function'
    return isInherited ? undefined : value
  }
}

/** Refuses a status that fails its attempt: `pick` does not get the answer of a failed request. */
function checkListed(name: string, listed: ListedStatuses | undefined): void {
  for (const [status, { isFailure }] of listed ?? [])
    if (isFailure)
      throw new TypeError(
        `${name}: responses lists ${status}, with which a whole batch fails, so that no key has a value: ` +
          `remove ${status} from responses, or remove keyBatch`,
      )
}
