import { generate } from '../../core/generate.ts'
import { parsedField, parseField, readField } from '../../core/schema/field-code.ts'
import type { FieldReader } from '../../core/schema/field-readers.ts'
import { INVALID } from '../../core/schema/parser.ts'
import { urlText } from '../../core/url-text.ts'
import { isUnambiguous } from '../spec/path-fault.ts'
import { encodePart, encodeSegment, encodeSegments } from '../spec/segment.ts'
import type { Template } from '../spec/template.ts'
import { appendPairs, encodeQueryText } from './query.ts'

/**
 * Writes a part of a request target from the fields of an input. Returns `undefined` for each input that needs more
 * than its fields and their texts, for example the reason of a refusal.
 */
export type PartWriter = (input: unknown) => string | undefined

/**
 * Generates a function that reads the parameters of a path and joins their texts with the literals.
 *
 * @returns `undefined` if the fields are not known, or if values can change the meaning of the literals beside them
 */
export function compilePath(
  { names, several, literals, decoded, isSegmented }: Template,
  readers: readonly FieldReader[] | undefined,
): PartWriter | undefined {
  if (readers?.length !== names.length || !(isSegmented || decoded.every(isUnambiguous))) return undefined
  const encode = isSegmented ? encodeSegment : encodePart
  const lines = readers.map(
    (reader, at) => `${readField(reader, at)}${parseField(reader, at)}
    const t${at} = ${encodedText(reader, at, several.includes(reader.name) ? 'encodeAll' : 'encode')}
    if (t${at} === undefined) return undefined`,
  )
  const places = names.map(name => readers.findIndex(reader => reader.name === name))
  const texts = places.map((place, index) => ` + t${place} + ${JSON.stringify(literals[index + 1])}`)
  const body = `${lines.join('')}
    return ${JSON.stringify(literals[0])}${texts.join('')}`
  const encodeAll = (text: string) => encodeSegments(text, encode)
  return compile(readers, body, {
    encode,
    encodeValue: encoderOf(encode),
    encodeAll,
    encodeAllValue: encoderOf(encodeAll),
  })
}

/** Generates the expression for the encoded text of a field, by the encoder of that name. */
function encodedText(reader: FieldReader, at: number, encoder: 'encode' | 'encodeAll'): string {
  const value = parsedField(reader, at)
  return { string: `${encoder}(${value})`, integer: `'' + ${value}`, other: `${encoder}Value(${value})` }[reader.type]
}

/** Returns the function that encodes a value of any type that has a text. */
function encoderOf(encode: (text: string) => string | undefined) {
  return (value: unknown) => {
    const text = urlText(value)
    return text === undefined ? undefined : encode(text)
  }
}

/** Generates a function that reads the fields of a query and joins their names and texts. */
export function compileQuery(readers: readonly FieldReader[] | undefined): PartWriter | undefined {
  if (readers === undefined) return undefined
  // After a field that is always written, the query has begun.
  const always = readers.findIndex(({ type, absent }) => type !== 'other' && absent !== 'omitted')
  const lines = readers.map((reader, at) => {
    const write = parseField(reader, at) + writePair(reader, at, always !== -1 && at > always)
    return (
      readField(reader, at) +
      (reader.absent === 'omitted'
        ? `
    if (f${at} !== undefined) {${write}
    }`
        : write)
    )
  })
  const body = `
    let text = ''${lines.join('')}
    return text`
  return compile(readers, body, { encode: encodeQueryText, appendPairs })
}

/** Generates code that appends one field of a query to `text`. */
function writePair(reader: FieldReader, at: number, hasBegun: boolean): string {
  const name = encodeURIComponent(reader.name.toWellFormed())
  const value = parsedField(reader, at)
  if (reader.type === 'other')
    return `
    text = appendPairs(text, ${JSON.stringify(name)}, ${value})
    if (text === undefined) return undefined`
  const begun = JSON.stringify(`&${name}=`)
  const prefix = hasBegun ? begun : `(text === '' ? ${JSON.stringify(`?${name}=`)} : ${begun})`
  return `
    text += ${prefix} + ${reader.type === 'string' ? `encode(${value})` : value}`
}

function compile(
  readers: readonly FieldReader[],
  body: string,
  values: Readonly<Record<string, unknown>>,
): PartWriter | undefined {
  const code = `return function write (input) {
    if (!isPlainObject(input)) return undefined${body}
  }`
  return generate<PartWriter>(code, { ...values, INVALID, isPlainObject, parsers: readers.map(({ parse }) => parse) })
}

/** Returns whether a value is an object without a class. The fields of other objects may be inherited. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
