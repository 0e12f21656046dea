import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { UpstreamError } from '../../errors.ts'
import { isTooDeep, maxDepth } from '../../core/schema/depth.ts'
import { readToFirstError } from '../../core/schema/first-error.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { spelledHeaders, type HeaderFields } from '../../core/schema/header-fields.ts'
import { excessOf, measuredLength } from '../../core/json/excess.ts'
import { hasDoubtful } from '../../core/json/integers.ts'
import { inexact, numberFault } from '../../core/json/number-fault.ts'
import { parseExact, parseExactInSteps } from '../../core/json/parse.ts'
import { wireSchema } from '../../core/json/wire-schema.ts'
import { compileParser, INVALID, compileWireParser } from '../../core/schema/parser.ts'
import type { OperationSpec } from '../spec/spec.ts'

/** Makes the call's value of a whole body: strict text, safe JSON, and the operation's schema over it. */
export function readBody(spec: OperationSpec, status: number, head: ResponseHeaders, body: Buffer): unknown {
  checkTyped(spec, status, head, body)
  const value = spec.allowEmpty && body.length === 0 ? null : read(spec, status, body)
  return withHeaders(spec, status, head, value)
}

/**
 * Does the same as `readBody` for a large body, in steps that each take some ten ms at most for a body that is meant to
 * cost much.
 */
export function* readInSteps(
  spec: OperationSpec,
  status: number,
  head: ResponseHeaders,
  body: Buffer,
): Generator<undefined, unknown, undefined> {
  if (spec.responseType !== 'json') return readBody(spec, status, head, body)
  checkTyped(spec, status, head, body)
  const text = textOf(spec, status, body)
  const parsed = parseJson(spec, status, text)
  yield
  checkKeys(spec, status, parsed, text)
  yield
  checkDepth(spec, status, parsed)
  yield
  let value = compileWireParser(spec.output)(parsed)
  if (value === INVALID) {
    yield
    const exact = hasDoubtful(parsed) ? yield* parseExactInSteps(text) : parsed
    yield
    value = settled(spec, status, readToFirstError(spec.output, exact), text)
  }
  return withHeaders(spec, status, head, value)
}

function checkTyped(spec: OperationSpec, upstreamStatus: number, head: ResponseHeaders, body: Buffer): void {
  if (!spec.allowEmpty || body.length === 0 || head['content-type'] !== undefined || spec.accept.includes('*/*')) return
  throw new UpstreamError('UPSTREAM_CONTENT_TYPE', spec.upstream.name, {
    upstreamStatus,
    detail: 'it is not empty and says nothing of its type',
  })
}

function withHeaders(spec: OperationSpec, status: number, head: ResponseHeaders, value: unknown): unknown {
  if (spec.responseHeaders === undefined) return value
  return {
    body: value,
    headers: checked(spec, spec.responseHeaders, status, namedHeaders(spec.headerFields as HeaderFields, head)),
  }
}

/**
 * The response headers that a schema may read. Cookies are kept from a schema that takes every header: no schema may
 * name them.
 */
function namedHeaders(fields: HeaderFields, head: ResponseHeaders): object {
  if (fields.isDirect) return head
  if (!fields.isOpen) return spelledHeaders(fields, head)
  const { 'set-cookie': _, ...others } = head
  return spelledHeaders(fields, others, true)
}

function read(spec: OperationSpec, status: number, body: Buffer): unknown {
  // Bytes hold no numbers of JSON, and looking at each for one would take seconds.
  if (spec.responseType === 'bytes') return checked(spec, spec.output, status, body, compileParser)
  const text = textOf(spec, status, body)
  if (spec.responseType === 'text') return checked(spec, spec.output, status, text)
  const value = parseJson(spec, status, text)
  checkKeys(spec, status, value, text)
  checkDepth(spec, status, value)
  return checked(spec, spec.output, status, value, compileWireParser, text)
}

function textOf(spec: OperationSpec, upstreamStatus: number, body: Buffer): string {
  if (!isUtf8(body))
    throw new UpstreamError('UPSTREAM_ENCODING', spec.upstream.name, { upstreamStatus, detail: 'it is not UTF-8' })
  const hasMark = body.length > 2 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf
  return body.toString('utf8', hasMark ? 3 : 0)
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
    // The parser's message quotes the body, so it stays behind.
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus: status,
      cause: (cause as Error).name,
    })
  }
}

function checkKeys(spec: OperationSpec, upstreamStatus: number, value: unknown, text: string): void {
  if (maySmuggle(text) && smuggles(value))
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus,
      detail: 'it has a key that would reach a prototype',
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

/**
 * Whether the text could hold a key `__proto__` or `prototype`, also one written with escapes; cheap, and true of next
 * to nothing.
 */
function maySmuggle(text: string): boolean {
  return text.includes('__proto__') || text.includes('prototype"') || text.includes('\\u00')
}

/**
 * Whether a merge that copies key by key could be led to a prototype: by `__proto__`, or by a `constructor` that has
 * one. Without recursion: how deep a body goes is the upstream's choice, and the stack is ours.
 */
function smuggles(value: unknown): boolean {
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__') || hasPrototype(next)) return true
    // Taking all values of an object with very many fields at once takes three times as long.
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

/**
 * Reads a value by a schema. What the first reader refuses is read again: with the integers of its text, where it has
 * one.
 */
function checked(
  spec: OperationSpec,
  schema: OperationSpec['output'],
  status: number,
  value: unknown,
  reader = compileWireParser,
  text?: string,
): unknown {
  const read = reader(schema)(value)
  if (read !== INVALID) return read
  const exact = text !== undefined && hasDoubtful(value) ? parseExact(text) : value
  return settled(
    spec,
    status,
    text !== undefined && text.length > measuredLength
      ? readToFirstError(schema, exact)
      : wireSchema(schema).safeParse(exact),
    text,
  )
}

function settled(
  spec: OperationSpec,
  status: number,
  { success, data, error }: z.ZodSafeParseResult<unknown>,
  text: string | undefined,
): unknown {
  if (success) return data
  throw misfit(spec, status, error, text)
}

function misfit(
  spec: OperationSpec,
  upstreamStatus: number,
  error: z.ZodError,
  text: string | undefined,
): UpstreamError {
  const fault = numberFault(error)
  // Headers and texts are read by coercion alone.
  return new UpstreamError('UPSTREAM_SCHEMA', spec.upstream.name, {
    upstreamStatus,
    cause: error,
    ...(fault !== undefined && {
      detail: `a value of it ${fault}${fault === inexact ? `: declare ${text === undefined ? 'z.coerce.bigint()' : 'z.bigint()'} there` : ''}`,
    }),
  })
}
