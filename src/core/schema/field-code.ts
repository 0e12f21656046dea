import type { FieldReader } from './field-readers.ts'

/** Generates code that reads a field of `input` as a constant: `f0` for the first field. */
export function readField({ name }: FieldReader, at: number): string {
  return `
    const f${at} = input[${JSON.stringify(name)}]`
}

/**
 * Generates code that parses a field. The code returns `undefined` from its function for a value that the schema of the
 * field refuses. It uses `parsers` and `INVALID`.
 */
export function parseField({ type, absent }: FieldReader, at: number): string {
  const code = {
    string: `if (typeof f${at} !== 'string') return undefined`,
    integer: `if (!Number.isSafeInteger(f${at})) return undefined`,
    other: `${absent === 'refused' ? `if (f${at} === undefined) return undefined` : ''}
    const v${at} = parsers[${at}](f${at})
    if (v${at} === INVALID) return undefined`,
  }
  return `
    ${code[type]}`
}

/** Returns the name of the constant with the parsed value of a field. */
export function parsedField({ type }: FieldReader, at: number): string {
  return `${type === 'other' ? 'v' : 'f'}${at}`
}
