import type { AnyAggregate } from './aggregate.ts'
import { findCall } from './held-call.ts'

/** Returns the reason for which the reply's schema refuses a merged value. */
export function replyFault({ name, schema }: Pick<AnyAggregate, 'name' | 'schema'>, merged: unknown): unknown {
  const { error } = schema.safeParse(merged)
  const call = findCall(merged)
  return call === undefined
    ? error
    : new TypeError(`aggregate '${name}': merge returned the call ${call}: use await ask(call) in a step`, {
        cause: error,
      })
}
