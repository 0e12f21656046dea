import { checkZod } from '../core/schema/wrapped.ts'
import type { Schema } from './inference.ts'

/** Checks the arguments of reply(). */
export function checkReply(owner: string, schema: Schema, merge: unknown): void {
  if (schema === undefined)
    throw new TypeError(`${owner}: reply() needs the zod schema of the reply: reply(z.object({ … }), merge)`)
  checkZod(owner, { reply: schema })
  if (typeof merge !== 'function')
    throw new TypeError(
      `${owner}: reply() needs a function that returns the reply: reply(schema, ({ facts }) => ({ facts }))`,
    )
}
