import { generate } from '../../core/generate.ts'
import type { FieldReader } from '../../core/schema/field-readers.ts'
import { INVALID } from '../../core/schema/parser.ts'
import { urlText } from '../../core/url-text.ts'
import { isUnambiguous } from '../spec/path-fault.ts'
import { encodePart, encodeSegment } from '../spec/segment.ts'
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
  { names, literals, decoded, isSegmented }: Template,
  readers: readonly FieldReader[] | undefined,
): PartWriter | undefined {
  if (readers?.length !== names.length || !(isSegmented || decoded.every(isUnambiguous))) return undefined
  const encode = isSegmented ? encodeSegment : encodePart
  const texts = readers.map(({ type }, at) => {
    if (type === 'integer') return ''
    return `
    const t${at} = ${type === 'string' ? `encode(f${at})` : `encodeValue(v${at})`}
    if (t${at} === undefined) return undefined`
  })
  const parts = names.map((name, index) => {
    const at = readers.findIndex(reader => reader.name === name)
    return `${readers[at]?.type === 'integer' ? 'f' : 't'}${at} + ${JSON.stringify(literals[index + 1])}`
  })
  return compile(
    readers,
    `${readers.map((reader, at) => readField(reader, at) + checkField(reader, at)).join('')}${texts.join('')}
    return ${[JSON.stringify(literals[0]), ...parts].join(' + ')}`,
    { encode, encodeValue: encoderOf(encode) },
  )
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
  // The first field that is always written begins every query, or follows a field that has begun it.
  const first = readers.findIndex(({ type, absent }) => type !== 'other' && absent !== 'omitted')
  const lines = readers.map((reader, at) => {
    const name = encodeURIComponent(reader.name.toWellFormed())
    const begun = JSON.stringify(`&${name}=`)
    const prefix = first !== -1 && at > first ? begun : `(text === '' ? ${JSON.stringify(`?${name}=`)} : ${begun})`
    const write = {
      string: `text += ${prefix} + encode(f${at})`,
      integer: `text += ${prefix} + f${at}`,
      other: `text = appendPairs(text, ${JSON.stringify(name)}, v${at})
    if (text === undefined) return undefined`,
    }[reader.type]
    return reader.absent === 'omitted'
      ? `${readField(reader, at)}
    if (f${at} !== undefined) {${checkField(reader, at)}
    ${write}
    }`
      : `${readField(reader, at)}${checkField(reader, at)}
    ${write}`
  })
  return compile(
    readers,
    `let text = ''${lines.join('')}
    return text`,
    { encode: encodeQueryText, appendPairs },
  )
}

function readField({ name }: FieldReader, at: number): string {
  return `
    const f${at} = input[${JSON.stringify(name)}]`
}

/** Generates the code that makes the value of a field. It ends the function for a value that the field refuses. */
function checkField({ type, absent }: FieldReader, at: number): string {
  const code = {
    string: `if (typeof f${at} !== 'string') return undefined`,
    integer: `if (!Number.isSafeInteger(f${at})) return undefined`,
    other: `${absent === 'unknown' ? `if (f${at} === undefined) return undefined` : ''}
    const v${at} = parsers[${at}](f${at})
    if (v${at} === INVALID) return undefined`,
  }
  return `
    ${code[type]}`
}

function compile(
  readers: readonly FieldReader[],
  body: string,
  values: Readonly<Record<string, unknown>>,
): PartWriter | undefined {
  const code = `return function write (input) {
    if (!isPlainObject(input)) return undefined
    ${body}
  }`
  return generate<PartWriter>(code, { ...values, INVALID, isPlainObject, parsers: readers.map(({ parse }) => parse) })
}

/** Returns whether a value is an object without a class. The fields of other objects may be inherited. */
function isPlainObject(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
