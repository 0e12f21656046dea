import type { z } from 'zod'
import { ignoreRejection } from '../../../core/promises.ts'
import { hasBigint } from '../../../core/json/needs-exact.ts'
import { writeJson } from '../../../core/json/write.ts'
import { bodyFix } from '../../../core/schema/check-written.ts'
import { droppedIn, hasUnknownOutput } from '../../../core/schema/dropped.ts'

/** Returns the function that writes the output of a schema as JSON. */
export function jsonWriter(schema: z.ZodType, owner: string): (value: unknown) => string | undefined {
  const write = hasUnknownOutput(schema) ? writeWhole : writeKnown
  return value => write(value, hasBigint(schema), owner)
}

/** Writes a body whose schema allows only values that JSON can hold. */
function writeKnown(value: unknown, isExact: boolean): string {
  return writeJson(value, isExact)
}

/** Writes a body whose schema allows any value. Throws for a value of which JSON would omit something. */
function writeWhole(value: unknown, isExact: boolean, owner: string): string | undefined {
  const text = writeJson(value, isExact) as string | undefined
  // A circular value has thrown in `writeJson`.
  const dropped = droppedIn(value)
  if (dropped === undefined) {
    if (text !== undefined || value === undefined) return text
    throw new TypeError(`${owner}, body: its toJSON returns a value that JSON cannot represent: ${bodyFix}`)
  }
  ignoreRejection(dropped.value)
  throw new TypeError(
    `${owner}, body${dropped.pointer === '' ? '' : `, at ${dropped.pointer}`}: ` +
      `${dropped.kind} cannot be written as JSON: ${bodyFix}`,
  )
}
