import type { z } from 'zod'
import { Problem, reasonOf, type Fault } from '../errors.ts'
import { isTooDeep, maxDepth } from '../core/schema/depth.ts'
import { readToFirstError } from '../core/schema/first-error.ts'
import type { HeaderReads } from '../upstream/call/inbound.ts'
import { exceedsValueCount } from '../core/json/excess.ts'
import { faultOf } from '../core/json/number-fault.ts'
import { wireSchema } from '../core/json/wire-schema.ts'
import { textSchema } from '../core/schema/text-schema.ts'
import { headerInput, settledHeaders } from './header-input.ts'
import type { Route } from './route.ts'
import { compileWireParser, INVALID } from '../core/schema/parser.ts'

/** The parts of a request, before the schemas of the aggregate read them. */
export interface RawInput {
  /** The path parameters, by name. */
  readonly params?: unknown
  /** The fields of the query, by name. */
  readonly query?: unknown
  /** The body, parsed. The steps may get this value itself, so it must not change during the run. */
  readonly body?: unknown
  /** The headers, by name in any case. An upstream's `forwardHeaders` selects from them. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}

/** The parts of a request, as the schemas of the aggregate parsed them. */
export interface ReadInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
}

const nothing = Object.freeze({})

/** The largest number of faults that are reported for one part of the input. A longer list is not useful. */
const mostFaults = 100

/**
 * The number of characters after which no more faults of a part are reported. A pointer has the names of fields, which
 * the caller chooses: 100 faults below one long name would be 100 times as large as the body.
 */
const mostCharacters = 64 * 1024

/** A body with more values than this is read up to its first fault. Finding 10,000 faults takes about 20 ms. */
const mostValues = 10_000

/**
 * Reads all parts of an input, with headers in lower case. Throws `INPUT_INVALID` with the faults of all parts and the
 * faults in `found`. For a large body it reports only the first fault.
 */
export function readInput(route: Route, raw: RawInput, found: readonly Fault[] = [], reads?: HeaderReads): ReadInput {
  const faults = [...found]
  const headers = headerInput(route, raw.headers ?? nothing, reads)
  const input = {
    params: readTexts('params', route, raw.params ?? nothing, faults),
    query: readTexts('query', route, raw.query ?? nothing, faults),
    body: readBody(route, raw.body, faults),
    headers: settledHeaders(headers, readTexts('headers', route, headers, faults), route),
  }
  if (faults.length > 0) {
    throw new Problem('INPUT_INVALID', {
      detail:
        `${faults.length === 1 ? 'One part of the input' : `${faults.length} parts of the input`} ` +
        'cannot be read: see errors.',
      faults,
    })
  }
  return input
}

/**
 * Reads the body. Refuses a body that is nested too deeply, because the caller chooses the depth, and zod and
 * JSON.stringify recurse.
 */
function readBody({ body, isBodyOpen }: Route, value: unknown, faults: Fault[]): unknown {
  if (body === undefined) return nothing
  if (isBodyOpen && isTooDeep(value)) {
    faults.push({ pointer: '/body', reason: `is nested deeper than ${maxDepth}` })
    return undefined
  }
  const data = compileWireParser(body)(value)
  return data === INVALID ? settled('body', parseRefused(body, value), faults) : data
}

/** Parses a body that the compiled parser has refused. The schema may accept it, for example an integer from 2^53 on. */
function parseRefused(schema: z.ZodType, value: unknown): z.ZodSafeParseResult<unknown> {
  return exceedsValueCount(value, mostValues) ? readToFirstError(schema, value) : wireSchema(schema).safeParse(value)
}

/** Reads a part that is an object of texts. */
function readTexts(
  part: 'params' | 'query' | 'headers',
  { texts, [part]: schema }: Route,
  value: unknown,
  faults: Fault[],
): unknown {
  if (schema === undefined) return nothing
  return texts[part]?.(value) ?? settled(part, textSchema(schema).safeParse(value), faults)
}

/** Returns the result of a part, or adds its faults. */
function settled(part: string, { success, data, error }: z.ZodSafeParseResult<unknown>, faults: Fault[]): unknown {
  if (success) return data
  let characters = 0
  for (const issue of error.issues.slice(0, mostFaults)) {
    if (characters > mostCharacters) break
    const path = issue.path.map(key => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))
    const fault = { pointer: ['', part, ...path].join('/'), reason: faultOf(issue) ?? reasonOf(issue) }
    characters += fault.pointer.length + fault.reason.length
    faults.push(fault)
  }
  return undefined
}
