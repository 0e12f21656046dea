import { deepFreeze } from '../../../core/freeze.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry, Fetched, Freshness } from './entry.ts'
import { headBytes, stringBytes } from './memory-size.ts'
import { readAnswer } from './body-entry.ts'

/**
 * The bytes of an entry other than its strings: its fields, numbers and weak reference, as V8 stores them on 64 bits.
 */
const ownBytes = 296

/** Wraps a value that is not an object, because a weak reference needs an object. */
class Box {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

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
  #value: WeakRef<object> | undefined

  constructor(
    spec: OperationSpec,
    status: number,
    head: ResponseHeaders,
    { requestedAt, receivedAt, generation }: Fetched,
    { initialAge, lifetime, staleWhileRevalidate, staleIfError }: Freshness,
    body: string,
    headers: string,
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
    }: { readonly status: number; readonly head: ResponseHeaders; readonly body: Buffer; readonly value: unknown },
    head: ResponseHeaders,
    fetched: Fetched,
    freshness: Freshness,
  ): KeptEntry {
    return new KeptEntry(
      spec,
      status,
      copied(head),
      fetched,
      freshness,
      body.toString('latin1'),
      textOf(spec, all),
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
      weak(value),
    )
  }

  /** The number of bytes to parse if the value has been freed; otherwise 0. */
  get unread(): number {
    return this.#value?.deref() === undefined ? this.#body.length : 0
  }

  /** Returns the frozen value. Throws if the operation does not accept the answer. */
  read(spec: OperationSpec): unknown {
    // Runtimes that share a store may have operations with the same name and different schemas.
    if (spec !== this.#spec) return this.#made(spec)
    const there = this.#value?.deref()
    if (there !== undefined) return there instanceof Box ? there.value : there
    const value = this.#made(spec)
    this.#value = weak(value)
    return value
  }

  #made(spec: OperationSpec): unknown {
    if (spec.responseHeaders !== undefined && this.#headers === '')
      throw new TypeError('the stored entry lacks headers that the operation reads')
    return deepFreeze(readAnswer(spec, this.status, this.allHeaders, Buffer.from(this.#body, 'latin1')))
  }
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
