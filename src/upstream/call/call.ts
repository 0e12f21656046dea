import type { OperationSpec } from '../spec/spec.ts'
import type { RequestBody } from './write-body/request-body.ts'

declare const answer: unique symbol, unasked: unique symbol

/**
 * The type of `await call`. A call is not its answer, so a program that awaits a call does not compile, and the
 * compiler prints the sentence.
 */
export interface Unasked<Sentence extends string, out T> {
  /** For the type checker only. */
  readonly [unasked]: Sentence
  /** For the type checker only. */
  readonly [answer]: T
}

/** A call that has not been sent. It belongs to no run. */
export class Call<out T> {
  /** Exists for the type checker only. */
  declare readonly [answer]: T
  /** The checked declaration of the operation. */
  readonly spec: OperationSpec
  /** For the type checker only: gives `await call` a type that says what to do. A call has no such method. */
  // oxlint-disable-next-line unicorn/no-thenable -- exists for the type checker only
  declare readonly then: (
    resolve?: ((value: Unasked<'a call is not its answer: use await ask(call)', T>) => unknown) | null,
  ) => never
  /** Path and query, encoded. */
  readonly path: string
  /** The body as it is sent. */
  readonly body: RequestBody | undefined
  /** The key that the call is sent with, if its operation makes one. */
  readonly idempotencyKey: string | undefined
  /** The headers in the input of the call, by lower-case name. */
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(
    spec: OperationSpec,
    path: string,
    body: RequestBody | undefined,
    idempotencyKey: string | undefined,
    headers?: Readonly<Record<string, string>>,
  ) {
    this.spec = spec
    this.path = path
    this.body = body
    this.idempotencyKey = idempotencyKey
    this.headers = headers
  }

  /** The operation's name, for example `catfact-ninja.fact`. */
  get operation(): string {
    return this.spec.name
  }

  /**
   * Refuses to be written as JSON, as a part of a reply.
   *
   * @returns Never; it throws.
   * @throws `TypeError` always: a call is not its answer.
   */
  toJSON(): never {
    throw new TypeError(`${this.operation}: a call is not its answer: use await ask(call)`)
  }
}

/** A call of an operation with `keyBatch`. Its path and its body are those of a request for its key alone. */
export interface KeyCall<out T> extends Call<T> {
  readonly key: unknown
}
