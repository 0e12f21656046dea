import { Call } from '../upstream/call/call.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'

declare const result: unique symbol

/** A function of a chain. It gets the values so far, in order, and returns a call or a value. */
export type Link = (...values: never[]) => unknown

/** A call, and functions that continue with its answer, as one item of an `each`. It has not been sent. */
export class Chain<out T> {
  /** Exists for the type checker only. */
  declare readonly [result]: T
  /** The call that is sent first. */
  readonly first: Call<unknown>
  /** The functions that run after the first call, in order. */
  readonly links: readonly Link[]

  constructor(first: Call<unknown>, links: readonly Link[]) {
    this.first = first
    this.links = links
  }

  /** The checked declaration of the operation that is called first. */
  get spec(): OperationSpec {
    return this.first.spec
  }
}

/** One item of the list that the function of an `each` returns. */
export type Item = Call<unknown> | Chain<unknown>

export function isChain(value: unknown): value is Chain<unknown> {
  return value instanceof Chain
}

export function isItem(value: unknown): value is Item {
  return value instanceof Call || value instanceof Chain
}
