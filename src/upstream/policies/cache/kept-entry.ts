import { deepFreeze } from '../../../core/freeze.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry, Fetched, Freshness } from './entry.ts'
import { headBytes, stringBytes } from './memory-size.ts'
import { readAnswer } from './body-entry.ts'

/**
 * Bytes of an entry beside its texts: its fields, its numbers and its weak reference, as V8 lays them out on 64 bits.
 */
const ownBytes = 296

/** Holds a value that a weak reference cannot refer to by itself. */
class Box {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/**
 * An answer that is kept in this process. It holds the bytes that came, of which the length is known, and refers to the
 * value made of them weakly: how much memory a value takes is for its upstream to choose (a list of empty lists takes
 * 25 times its text). While the value is in use, or until the garbage collector next looks at it, it is given again;
 * after that it is read from the bytes again.
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
  /** The body, one character per byte: a text in the heap takes 16 bytes beside it, a Buffer takes about 300. */
  readonly #body: string
  /** All headers as JSON, where the operation reads headers. */
  readonly #headers: string
  /** The operation whose schema has made the value. */
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

  /** Makes an entry of an answer; `head` are the headers to keep, and `value` is frozen. */
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

  /** All headers of the answer, where the operation reads headers; those of `head` otherwise. */
  get allHeaders(): ResponseHeaders {
    return this.#headers === '' ? this.head : (JSON.parse(this.#headers) as ResponseHeaders)
  }

  /** Returns the same answer with the headers that a 304 has updated, and the value that they lead to. */
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

  /** Bytes to read where the value is no longer there; 0 where it is. */
  get unread(): number {
    return this.#value?.deref() === undefined ? this.#body.length : 0
  }

  /** Returns the value, frozen. Throws what an answer throws that its operation does not take. */
  read(spec: OperationSpec): unknown {
    // Runtimes that share a store may have operations of one name with schemas that differ.
    if (spec !== this.#spec) return this.#made(spec)
    const there = this.#value?.deref()
    if (there !== undefined) return there instanceof Box ? there.value : there
    const value = this.#made(spec)
    this.#value = weak(value)
    return value
  }

  #made(spec: OperationSpec): unknown {
    if (spec.responseHeaders !== undefined && this.#headers === '')
      throw new TypeError('the headers that the operation reads were not kept')
    return deepFreeze(readAnswer(spec, this.status, this.allHeaders, Buffer.from(this.#body, 'latin1')))
  }
}

/** Returns all headers as JSON, where the operation reads headers. */
function textOf({ responseHeaders }: OperationSpec, all: ResponseHeaders): string {
  return responseHeaders === undefined ? '' : JSON.stringify(all)
}

function weak(value: unknown): WeakRef<object> {
  return new WeakRef(typeof value === 'object' && value !== null ? value : new Box(value))
}

/** Copies headers: a value without the white space behind it would keep the longer text that it was cut from. */
function copied(head: ResponseHeaders): ResponseHeaders {
  return JSON.parse(JSON.stringify(head)) as ResponseHeaders
}
