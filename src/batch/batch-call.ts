import type { Call } from '../upstream/call/call.ts'
import type { ReadInput } from '../fanout/input.ts'
import type { Offered, OfferedAggregate, OfferedOperation } from './offer.ts'
import type { Reference } from './reference.ts'

/** A need of a call. */
export interface Need {
  /** The index of the call that is needed. */
  readonly index: number
  /** True if the call can be made although this call failed: the call is optional, and nothing refers to it. */
  readonly isOrderOnly: boolean
}

/** The request of a call without references, which is made before the batch starts. */
export type Prepared =
  | { readonly offered: OfferedOperation; readonly call: Call<unknown> }
  | { readonly offered: OfferedAggregate; readonly input: ReadInput }

/** A call of a batch, as it was read. */
export interface BatchCall {
  readonly index: number
  readonly id: string
  readonly offered: Offered
  readonly needs: readonly Need[]
  /** The calls that need this one, by index. */
  readonly dependents: readonly number[]
  readonly input: unknown
  readonly references: readonly Reference[]
  /** The request; undefined if the input has references, or if making the request failed because of a bug. */
  readonly prepared: Prepared | undefined
}
