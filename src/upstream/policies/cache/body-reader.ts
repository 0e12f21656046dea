import { deepFreeze } from '../../../core/freeze.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { readEntry, valueOf } from './body-entry.ts'
import type { FoundGeneration, Lookup, LookupResult } from './entry.ts'

/** The result of reading an entry, and the call for which it was read. */
interface ReadBody extends LookupResult {
  readonly spec: OperationSpec
  /** The key of the call in a batch. */
  readonly batchKey: unknown
  /** The name under which the store has the entry. */
  readonly name: string
}

/**
 * Reads the entries of a store of `bodies`. A store that returns the same frozen object again has the entry in memory,
 * so its body is not parsed again.
 */
export class BodyReader {
  readonly #reads = new WeakMap<object, ReadBody>()

  /**
   * Reads an entry. Returns a miss if it has another generation than its URI, and `undefined` if it is not an entry of
   * this name. Throws if the operation does not accept the answer.
   */
  read(stored: object, name: string, generation: FoundGeneration, call: LiveCall<unknown>): Lookup | undefined {
    const earlier = this.#earlier(stored, name, call)
    if (earlier !== undefined)
      return earlier.entry.generation === generation ? earlier : { entry: undefined, generation }
    const entry = readEntry(stored, name)
    if (entry === undefined) return undefined
    if (entry.generation !== generation) return { entry: undefined, generation }
    const { spec, key: batchKey } = call
    const read = { entry, value: deepFreeze(valueOf(spec, entry, batchKey)), spec, batchKey, name }
    if (Object.isFrozen(stored)) this.#reads.set(stored, read)
    return read
  }

  /** Returns whether the value of an entry is known from an earlier call of the same operation. */
  isRead(stored: object, name: string, call: LiveCall<unknown>): boolean {
    return this.#earlier(stored, name, call) !== undefined
  }

  #earlier(stored: object, name: string, { spec, key }: LiveCall<unknown>): ReadBody | undefined {
    const read = this.#reads.get(stored)
    return read?.spec === spec && read.batchKey === key && read.name === name ? read : undefined
  }
}
