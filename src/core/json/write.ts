import { textOf, bigintMode } from './integers.ts'

/** Node has it since 22; the types of the language do not yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object }

/**
 * A whole number that JavaScript writes with other digits than it has is 10^16 at least, such as 2^55. The text is
 * searched, since the value may hold circles behind a toJSON.
 */
const longDigits = /\d{17}/

/**
 * Writes a value as `JSON.stringify` does, with bigints as integers and with all digits of whole numbers below 1e21.
 * @param isExact Whether the value is known to hold bigints, so that writing it without them need not be tried.
 * @default false
 * @param indent As of `JSON.stringify`. @default 0
 * @throws What `JSON.stringify` throws.
 */
export function writeJson(value: unknown, isExact = false, indent = 0): string {
  // An app may have given bigints a toJSON, which makes text of them.
  if (!isExact && !('toJSON' in BigInt.prototype)) {
    try {
      const text = JSON.stringify(value, null, indent)
      if (!bigintMode.isUsed || !longDigits.test(text)) return text
    } catch (error) {
      // A bigint is a TypeError, and so is a circle, which is thrown again below.
      if (!(error instanceof TypeError)) throw error
    }
  }
  return JSON.stringify(value, exactly, indent)
}

function exactly(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const given = this[key]
  if (typeof given === 'bigint') return rawJSON(given.toString())
  // From a toJSON.
  if (typeof value === 'bigint') return rawJSON(value.toString())
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? rawJSON(textOf(value))
    : value
}
