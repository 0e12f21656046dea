import type { AnyAggregate } from './aggregate.ts'
import type { TypeErrorMessage } from './inference.ts'

/** The aggregates of a list. The compiler prints the sentence for a declaration that has not ended with reply(). */
export type AggregateList = readonly (
  AnyAggregate | TypeErrorMessage<'end the declaration with .reply(schema, merge)'>
)[]

/** Returns the aggregate. Throws a `TypeError` for a declaration without a reply, and for any other value. */
export function requireReply(owner: string, aggregate: AggregateList[number]): AnyAggregate {
  const { name, route, schema } = (aggregate as Partial<AnyAggregate> | null | undefined) ?? {}
  if (name === undefined || route === undefined || schema === undefined)
    throw new TypeError(`${owner} is not an aggregate: end its declaration with .reply(schema, merge)`)
  return aggregate as AnyAggregate
}
