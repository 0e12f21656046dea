import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { UpstreamError } from '../../errors.ts'
import { decodeInSteps, decoderOf, markLength } from '../../core/charset.ts'
import { isTooDeep, maxDepth } from '../../core/schema/depth.ts'
import { readToFirstError } from '../../core/schema/first-error.ts'
import { contentTypeFault, contentTypeOf } from './content-type.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { spelledHeaders, type HeaderFields } from '../../core/schema/header-fields.ts'
import { excessOf, measuredLength } from '../../core/json/excess.ts'
import { hasDoubtful } from '../../core/json/integers.ts'
import { inexact, numberFault } from '../../core/json/number-fault.ts'
import { parseExact, parseExactInSteps } from '../../core/json/parse.ts'
import { wireSchema } from '../../core/json/wire-schema.ts'
import { compileParser, INVALID, compileWireParser } from '../../core/schema/parser.ts'
import type { OperationSpec } from '../spec/spec.ts'

/**
 * Parses a complete body into the value of the call: its text, safe JSON, then the operation's schema.
 *
 * @throws UpstreamError for a body that the operation does not accept
 */
export function readBody(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): unknown {
  const value = spec.allowEmpty && isEmpty(spec, body) ? emptyValue(spec, status) : read(spec, status, headers, body)
  return withResponseHeaders(spec, status, headers, value)
}

/** Does the same as `readBody` for a large body, in steps. The slowest bodies take about 10 ms per step. */
export function* readInSteps(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  body: Buffer,
): Generator<undefined, unknown, undefined> {
  if (spec.responseType === 'text') return yield* readTextInSteps(spec, status, headers, body)
  if (spec.responseType === 'bytes') return readBody(spec, status, headers, body)
  if (spec.allowEmpty && (yield* isBlankInSteps(body)))
    return withResponseHeaders(spec, status, headers, emptyValue(spec, status))
  checkType(spec, status, headers)
  const text = decodeUtf8(spec, status, body)
  const parsed = parseJson(spec, status, text)
  yield
  checkKeys(spec, status, parsed, text)
  yield
  checkDepth(spec, status, parsed)
  yield
  let value = compileWireParser(outputOf(spec, status))(parsed)
  if (value === INVALID) {
    yield
    const exact = hasDoubtful(parsed) ? yield* parseExactInSteps(text) : parsed
    yield
    value = unwrapResult(spec, status, readToFirstError(outputOf(spec, status), exact), text)
  }
  return withResponseHeaders(spec, status, headers, value)
}

function* readTextInSteps(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  body: Buffer,
): Generator<undefined, unknown, undefined> {
  const { decoder: declared } = contentTypeOf(spec, headers['content-type'])
  if (declared === undefined) return readBody(spec, status, headers, body)
  checkType(spec, status, headers)
  const { encoding } = decoderOf(body, declared)
  let text: string
  try {
    text = yield* decodeInSteps(encoding, body)
  } catch {
    throw notEncoded(spec, status, encoding)
  }
  return withResponseHeaders(spec, status, headers, parseChecked(spec, outputOf(spec, status), status, text))
}

/** Returns the schema of the answers with a status. A status that `responses` does not list has a schema that refuses. */
function outputOf({ responses, output }: OperationSpec, status: number): z.ZodType {
  return responses === undefined ? output : (responses.get(status)?.schema ?? output)
}

/** Returns the value of an empty body. With `responses` it is a `null` that the schema of its status reads. */
function emptyValue(spec: OperationSpec, status: number): unknown {
  return spec.responses === undefined ? null : parseChecked(spec, outputOf(spec, status), status, null)
}

function isEmpty({ responseType }: OperationSpec, body: Buffer): boolean {
  return body.length === 0 || (responseType === 'json' && isBlank(body))
}

/** The number of bytes of white space that one step scans. */
const scannedBytes = 1024 * 1024

/**
 * Returns whether a body consists only of white space of JSON (RFC 8259, section 2). A byte order mark may precede it.
 */
function isBlank(body: Buffer, start = markLength(body), end = body.length): boolean {
  for (let at = start; at < end; at++) {
    const byte = body[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return false
  }
  return true
}

/** Does the same for a large body, in steps of about 5 ms. */
function* isBlankInSteps(body: Buffer): Generator<undefined, boolean, undefined> {
  for (let at = markLength(body); at < body.length; at += scannedBytes) {
    if (!isBlank(body, at, Math.min(at + scannedBytes, body.length))) return false
    yield
  }
  return true
}

/**
 * Checks the content type of a body that is not empty. For an operation that accepts an empty body, the type was not
 * checked before the body was read.
 */
function checkType(spec: OperationSpec, status: number, headers: ResponseHeaders): void {
  if (!spec.allowEmpty) return
  const fault = contentTypeFault(spec, status, headers['content-type'])
  if (fault !== undefined) throw fault
}

/** Returns the value of an answer: its body, with the status and the headers if its operation gives them. */
export function withResponseHeaders(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  value: unknown,
): unknown {
  const { responses, responseHeaders } = spec
  if (responseHeaders === undefined) return responses === undefined ? value : { status, body: value }
  const read = parseChecked(spec, responseHeaders, status, namedHeaders(spec.headerFields as HeaderFields, headers))
  return responses === undefined ? { body: value, headers: read } : { status, body: value, headers: read }
}

/**
 * Returns the response headers that a schema may read. A schema that takes every header gets no cookies: no schema may
 * name them.
 */
function namedHeaders(fields: HeaderFields, headers: ResponseHeaders): object {
  if (fields.isDirect) return headers
  if (!fields.isOpen) return spelledHeaders(fields, headers)
  const { 'set-cookie': _, ...others } = headers
  return spelledHeaders(fields, others, true)
}

function read(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): unknown {
  checkType(spec, status, headers)
  // Bytes contain no JSON numbers, and a check of each byte would take seconds.
  if (spec.responseType === 'bytes') return parseChecked(spec, outputOf(spec, status), status, body, compileParser)
  if (spec.responseType === 'text')
    return parseChecked(spec, outputOf(spec, status), status, decodeText(spec, status, headers, body))
  const text = decodeUtf8(spec, status, body)
  const value = parseJson(spec, status, text)
  checkKeys(spec, status, value, text)
  checkDepth(spec, status, value)
  return parseChecked(spec, outputOf(spec, status), status, value, compileWireParser, text)
}

/** Decodes a text by the charset of its `Content-Type`, which is UTF-8 by default. */
function decodeText(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): string {
  const { decoder: declared } = contentTypeOf(spec, headers['content-type'])
  if (declared === undefined) return decodeUtf8(spec, status, body)
  const decoder = decoderOf(body, declared)
  try {
    return decoder.decode(body)
  } catch {
    throw notEncoded(spec, status, decoder.encoding)
  }
}

function decodeUtf8(spec: OperationSpec, status: number, body: Buffer): string {
  if (!isUtf8(body)) throw notEncoded(spec, status, 'UTF-8')
  return body.toString('utf8', markLength(body))
}

function notEncoded(spec: OperationSpec, upstreamStatus: number, encoding: string): UpstreamError {
  return new UpstreamError('UPSTREAM_ENCODING', spec.upstream.name, { upstreamStatus, detail: `it is not ${encoding}` })
}

function parseJson(spec: OperationSpec, status: number, text: string): unknown {
  const { maxJsonValues } = spec.upstream
  const excess = excessOf(text, maxJsonValues)
  if (excess === 'depth') throw tooDeep(spec, status)
  if (excess === 'values') {
    throw new UpstreamError('UPSTREAM_TOO_LARGE', spec.upstream.name, {
      upstreamStatus: status,
      detail: `the limit is ${maxJsonValues} values`,
    })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The parser's message quotes the body, so it is not part of the error.
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus: status,
      cause: (cause as Error).name,
    })
  }
}

function checkKeys(spec: OperationSpec, upstreamStatus: number, value: unknown, text: string): void {
  if (mayHavePrototypeKey(text) && hasPrototypeKey(value))
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus,
      detail: 'it contains a key that could change a prototype',
    })
}

function checkDepth(spec: OperationSpec, status: number, value: unknown): void {
  if (spec.isOpen && isTooDeep(value)) throw tooDeep(spec, status)
}

function tooDeep(spec: OperationSpec, upstreamStatus: number): UpstreamError {
  return new UpstreamError('UPSTREAM_SCHEMA', spec.upstream.name, {
    upstreamStatus,
    detail: `it is nested deeper than ${maxDepth}`,
  })
}

/** Returns whether a text could contain a key `__proto__` or `prototype`, also with escapes. This is rare. */
function mayHavePrototypeKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('prototype"') || text.includes('\\u00')
}

/**
 * Returns whether a merge that copies key by key could reach a prototype: through `__proto__`, or through a
 * `constructor` with a `prototype`. It does not recurse, because the upstream chooses the depth of a body.
 */
function hasPrototypeKey(value: unknown): boolean {
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__') || hasPrototype(next)) return true
    // `Object.values` of an object with very many fields takes three times as long.
    if (Array.isArray(next)) for (const item of next) open.push(item)
    else for (const key in next) open.push((next as Readonly<Record<string, unknown>>)[key])
  }
  return false
}

function hasPrototype(value: object): boolean {
  if (!Object.hasOwn(value, 'constructor')) return false
  const { constructor } = value as { readonly constructor: unknown }
  return typeof constructor === 'object' && constructor !== null && Object.hasOwn(constructor, 'prototype')
}

/** Parses a value by a schema. A refused value is parsed again, with the exact integers of its text if there is one. */
function parseChecked(
  spec: OperationSpec,
  schema: OperationSpec['output'],
  status: number,
  value: unknown,
  compile = compileWireParser,
  text?: string,
): unknown {
  const parsed = compile(schema)(value)
  if (parsed !== INVALID) return parsed
  const exact = text !== undefined && hasDoubtful(value) ? parseExact(text) : value
  return unwrapResult(
    spec,
    status,
    text !== undefined && text.length > measuredLength
      ? readToFirstError(schema, exact)
      : wireSchema(schema).safeParse(exact),
    text,
  )
}

function unwrapResult(
  spec: OperationSpec,
  status: number,
  { success, data, error }: z.ZodSafeParseResult<unknown>,
  text: string | undefined,
): unknown {
  if (success) return data
  throw schemaError(spec, status, error, text)
}

function schemaError(
  spec: OperationSpec,
  upstreamStatus: number,
  error: z.ZodError,
  text: string | undefined,
): UpstreamError {
  const fault = numberFault(error)
  // Headers and texts become numbers only by coercion.
  return new UpstreamError('UPSTREAM_SCHEMA', spec.upstream.name, {
    upstreamStatus,
    cause: error,
    ...(fault !== undefined && {
      detail:
        `one of its values ${fault}` +
        (fault === inexact ? `: declare ${text === undefined ? 'z.coerce.bigint()' : 'z.bigint()'} for it` : ''),
    }),
  })
}
