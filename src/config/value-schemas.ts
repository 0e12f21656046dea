import { z } from 'zod'

/** Returns a schema for an integer within bounds. Every check has the same message, which names both bounds. */
export function whole(
  from: number,
  to: number,
  fault = `must be an integer from ${from} to ${to}`,
): z.ZodCoercedNumber {
  return z.coerce.number(fault).int(fault).min(from, fault).max(to, fault)
}

/** Returns a schema for an integer within bounds, or a word. */
export function wholeOr<const Word extends string>(word: Word, from: number, to: number) {
  const fault = `must be an integer from ${from} to ${to}, or ${word}`
  return z.union([z.literal(word), whole(from, to, fault)], fault)
}

/** Returns a schema for a number from 0 to 100. */
export function percent() {
  const fault = 'must be a number from 0 to 100'
  return z.coerce.number(fault).min(0, fault).max(100, fault)
}

/** Returns a schema for one of several values. The message lists the values. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, `must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`)
}
