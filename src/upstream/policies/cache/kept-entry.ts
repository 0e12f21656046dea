import { deepFreeze } from '../../../core/freeze.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry, Fetched, Freshness } from './entry.ts'
import { headBytes, stringBytes } from './memory-size.ts'
import { readAnswer } from './body-entry.ts'
import { exactText, pickStored } from './key-value.ts'

/**
 * The bytes of an entry other than its strings: its fields, numbers and weak reference, as V8 stores them on 64 bits.
 */
const ownBytes = 304

/** Wraps a value that is not an object, because a weak reference needs an object. */
class Box {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** The bodies of batches as strings. The entries of the keys of a batch share its string. */
const batchTexts = new WeakMap<Buffer, string>()

/**
 * A stored answer in this process. It holds the received bytes, whose length is known, and a weak reference to their
 * parsed value. The memory of a value depends on the upstream: a list of empty lists takes 25 times the size of its
 * text.
 *
 * The same value is returned until the garbage collector frees it. After that it is parsed from the bytes again.
 */
export class KeptEntry implements Entry {
  readonly status: number
  readonly head: ResponseHeaders
  readonly bytes: number
  readonly requestedAt: number
  readonly receivedAt: number
  readonly generation: string
  readonly initialAge: number
  readonly lifetime: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /**
   * The body as a string with one character per byte. A string adds 16 bytes to its content, and a Buffer about 300.
   */
  readonly #body: string
  /** All headers as JSON if the operation reads headers; otherwise empty. */
  readonly #headers: string
  /** The operation whose schema has parsed the value. */
  readonly #spec: OperationSpec
  /**
   * The position of the key if the body is the body of a batch, and `value` if it is the JSON of the value of the key.
   * `undefined` without `keyBatch`.
   */
  readonly #keyed: number | 'value' | undefined
  #value: WeakRef<object> | undefined

  constructor(
    spec: OperationSpec,
    status: number,
    head: ResponseHeaders,
    { requestedAt, receivedAt, generation }: Fetched,
    { initialAge, lifetime, staleWhileRevalidate, staleIfError }: Freshness,
    body: string,
    headers: string,
    keyed: number | 'value' | undefined,
    value: WeakRef<object> | undefined,
  ) {
    this.#spec = spec
    this.status = status
    this.head = head
    this.bytes = ownBytes + headBytes(head) + stringBytes(body) + (headers === '' ? 0 : stringBytes(headers))
    this.requestedAt = requestedAt
    this.receivedAt = receivedAt
    this.generation = generation
    this.initialAge = initialAge
    this.lifetime = lifetime
    this.staleWhileRevalidate = staleWhileRevalidate
    this.staleIfError = staleIfError
    this.#body = body
    this.#headers = headers
    this.#keyed = keyed
    this.#value = value
  }

  /** Creates the entry of an answer. `head` contains the headers to store, and `value` is frozen. */
  static of(
    spec: OperationSpec,
    {
      status,
      head: all,
      body,
      value,
      keyIndex,
    }: {
      readonly status: number
      readonly head: ResponseHeaders
      readonly body: Buffer
      readonly value: unknown
      readonly keyIndex?: number | undefined
    },
    head: ResponseHeaders,
    fetched: Fetched,
    freshness: Freshness,
  ): KeptEntry {
    const text = keyIndex === undefined ? undefined : exactText(value)
    return new KeptEntry(
      spec,
      status,
      copied(head),
      fetched,
      freshness,
      text === undefined ? latin1(body, keyIndex !== undefined) : Buffer.from(text).toString('latin1'),
      textOf(spec, all),
      text === undefined ? keyIndex : 'value',
      weak(value),
    )
  }

  static is(entry: unknown): entry is KeptEntry {
    return typeof entry === 'object' && entry !== null && #body in entry
  }

  /** All headers of the answer if the operation reads headers; otherwise the headers of `head`. */
  get allHeaders(): ResponseHeaders {
    return this.#headers === '' ? this.head : (JSON.parse(this.#headers) as ResponseHeaders)
  }

  /** Returns the same answer with the headers and the value that a 304 has updated. */
  renewed(
    spec: OperationSpec,
    { head: all, value }: { readonly head: ResponseHeaders; readonly value: unknown },
    head: ResponseHeaders,
    fetched: Fetched,
    freshness: Freshness,
  ): KeptEntry {
    return new KeptEntry(
      spec,
      this.status,
      copied(head),
      fetched,
      freshness,
      this.#body,
      textOf(spec, all),
      this.#keyed,
      weak(value),
    )
  }

  /** The number of bytes to parse if the value has been freed; otherwise 0. */
  get unread(): number {
    return this.#value?.deref() === undefined ? this.#body.length : 0
  }

  /**
   * Returns the frozen value. Throws if the operation does not accept the answer.
   *
   * @param key The key of the call, for an entry of a batch.
   */
  read(spec: OperationSpec, key?: unknown): unknown {
    // Runtimes that share a store may have operations with the same name and different schemas.
    if (spec !== this.#spec) return this.#made(spec, key)
    const there = this.#value?.deref()
    if (there !== undefined) return there instanceof Box ? there.value : there
    const value = this.#made(spec, key)
    this.#value = weak(value)
    return value
  }

  #made(spec: OperationSpec, key: unknown): unknown {
    if (this.#keyed === 'value') {
      if (spec !== this.#spec) throw new TypeError('another declaration has made the stored value of the key')
      return deepFreeze(JSON.parse(Buffer.from(this.#body, 'latin1').toString()) as unknown)
    }
    if (spec.responseHeaders !== undefined && this.#headers === '')
      throw new TypeError('the stored entry lacks headers that the operation reads')
    const value = readAnswer(spec, this.status, this.allHeaders, Buffer.from(this.#body, 'latin1'))
    return deepFreeze(this.#keyed === undefined ? value : pickStored(spec, value, key, this.#keyed))
  }
}

/** Returns a body as a string with one character per byte. */
function latin1(body: Buffer, isBatch: boolean): string {
  if (!isBatch) return body.toString('latin1')
  let text = batchTexts.get(body)
  if (text === undefined) batchTexts.set(body, (text = body.toString('latin1')))
  return text
}

/** Returns all headers as JSON if the operation reads headers; otherwise an empty string. */
function textOf({ responseHeaders }: OperationSpec, all: ResponseHeaders): string {
  return responseHeaders === undefined ? '' : JSON.stringify(all)
}

function weak(value: unknown): WeakRef<object> {
  return new WeakRef(typeof value === 'object' && value !== null ? value : new Box(value))
}

/** Copies headers. A value may be a slice of a longer string, and would retain that string. */
function copied(head: ResponseHeaders): ResponseHeaders {
  return JSON.parse(JSON.stringify(head)) as ResponseHeaders
}
