import { textOf, bigintMode } from './integers.ts'

/** Node.js has `JSON.rawJSON` since version 22, but the types of TypeScript do not contain it yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object }

/**
 * Finds whole numbers that JavaScript may have written with other digits than the number has. Their size is at least
 * 10^16, for example 2^55. The text is searched and not the value, because the value may contain cycles behind a
 * toJSON.
 */
const longDigits = /\d{17}/

/**
 * Writes a value as `JSON.stringify` does, with bigints as integers and with all digits of whole numbers below 1e21.
 * @param isExact True if the value is known to contain bigints. The attempt to write it without them is then skipped.
 * @default false
 * @param indent As of `JSON.stringify`. @default 0
 * @throws What `JSON.stringify` throws.
 */
export function writeJson(value: unknown, isExact = false, indent = 0): string {
  // An app may have added a toJSON to BigInt.prototype, which writes bigints as strings.
  if (!isExact && !('toJSON' in BigInt.prototype)) {
    try {
      const text = JSON.stringify(value, null, indent)
      if (!bigintMode.isUsed || !longDigits.test(text)) return text
    } catch (error) {
      // A bigint causes a TypeError. A cycle also causes one, which the call below throws again.
      if (!(error instanceof TypeError)) throw error
    }
  }
  return JSON.stringify(value, exactly, indent)
}

function exactly(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const given = this[key]
  if (typeof given === 'bigint') return rawJSON(given.toString())
  // A toJSON returned the bigint.
  if (typeof value === 'bigint') return rawJSON(value.toString())
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? rawJSON(textOf(value))
    : value
}
