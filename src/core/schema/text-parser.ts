import type { z } from 'zod'
import { compiledAtFirstCall, generate } from '../generate.ts'
import { parsedField, parseField, readField } from './field-code.ts'
import { fieldReaders } from './field-readers.ts'
import { INVALID } from './parser.ts'
import { textSchema } from './text-schema.ts'
import { defOf } from './wrapped.ts'

/**
 * Reads the fields of a query, a path or headers. Returns a new object with the fields of the schema. Returns
 * `undefined` for a value that only `textSchema` can read or refuse.
 */
export type TextParser = (value: unknown) => object | undefined

/** Returns the compiled form of `textSchema`. It is compiled at the first call. */
export function textParser(schema: z.ZodType): TextParser {
  return compiledAtFirstCall(() => compile(textSchema(schema)))
}

/** Generates the code of a parser, with names in the code as in `compileObjectParser`. */
function compile(schema: z.ZodType): TextParser | undefined {
  const readers = defOf(schema).catchall === undefined ? fieldReaders(schema) : undefined
  if (readers === undefined) return undefined
  const lines = readers.map((reader, at) => {
    const output = `output[${JSON.stringify(reader.name)}]`
    const value = parsedField(reader, at)
    const write = `
    ${output} = ${value}`
    if (reader.absent !== 'omitted')
      // Only zod knows whether a default of undefined is a field.
      return `${readField(reader, at)}${parseField(reader, at)}
    ${reader.absent === 'parsed' ? `if (${value} === undefined) return undefined` : ''}${write}`
    return `${readField(reader, at)}
    if (f${at} !== undefined) {${parseField(reader, at)}${write}
    } else if (${JSON.stringify(reader.name)} in input) ${output} = undefined`
  })
  const code = `return function parse (input) {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
    const output = {}${lines.join('')}
    return output
  }`
  return generate<TextParser>(code, { INVALID, parsers: readers.map(({ parse }) => parse) })
}
