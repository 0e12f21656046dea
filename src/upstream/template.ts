import { UpstreamError } from '../errors.ts'
import { textOf } from './json/integers.ts'

/** A path template, taken apart once: `/breeds/{id}` is `['/breeds/', '']` around `['id']`. */
export interface Template {
  readonly path: string
  readonly names: readonly string[]
  readonly literals: readonly string[]
}

const placeholder = /\{([^{}]*)\}/g
const name = /^[A-Za-z_][A-Za-z0-9_]*$/
const literal = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/

/** Takes a path template apart; throws a `TypeError` that names what cannot be a path. */
export function parseTemplate (path: string, owner: string): Template {
  const names = Array.from(path.matchAll(placeholder), match => match[1] as string)
  const literals = path.split(/\{[^{}]*\}/)
  if (!path.startsWith('/')) throw new TypeError(`${owner}: the path '${path}' must start with a slash`)
  for (const part of literals) {
    if (!literal.test(part)) throw new TypeError(`${owner}: the path '${path}' holds characters that are no path: encode them, and declare a query as 'query'`)
  }
  for (const [index, each] of names.entries()) {
    if (!name.test(each)) throw new TypeError(`${owner}: '{${each}}' in the path '${path}' is not a name`)
    if (names.indexOf(each) !== index) throw new TypeError(`${owner}: '{${each}}' stands twice in the path '${path}'`)
  }
  if (climbs(literals.join('x'))) throw new TypeError(`${owner}: the path '${path}' holds a '.' or '..' segment`)
  return { path, names, literals }
}

/** Fills a template in. A value fills exactly its own place: it is encoded, and one that could climb out of it is refused. */
export function fillTemplate ({ names, literals }: Template, params: Readonly<Record<string, unknown>>, owner: string): string {
  let path = literals[0] as string
  for (let index = 0; index < names.length; index++) {
    path += segment(names[index] as string, params[names[index] as string], owner) + (literals[index + 1] as string)
  }
  // Two values, or a value and what stands beside it, can make together what neither is alone.
  if (climbs(path)) throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `the path parameters make a '.' or '..' segment` })
  return path
}

function segment (key: string, value: unknown, owner: string): string {
  if (typeof value !== 'string') {
    if (typeof value === 'number') return encodeURIComponent(textOf(value))
    if (typeof value === 'bigint' || typeof value === 'boolean') return encodeURIComponent(String(value))
    throw new TypeError(`${owner}: the path parameter '${key}' is neither a string nor a number`)
  }
  if (value === '') throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `the path parameter '${key}' is empty` })
  if (climbs(value)) throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `the path parameter '${key}' holds a '.' or '..' segment` })
  return encodeURIComponent(value.toWellFormed())
}

/** Whether some piece of the text is `.` or `..`, also for servers that decode before they normalise, however often. */
function climbs (text: string): boolean {
  let decoded = text
  for (let round = 0; round < 8; round++) {
    if (/(?:^|[\\/])\.\.?(?:[\\/]|$)/.test(decoded)) return true
    if (!/%(?:2e|2f|5c|25)/i.test(decoded)) return false
    decoded = decoded.replaceAll(/%(?:2e|2f|5c|25)/gi, decodeURIComponent)
  }
  // Nobody encodes a name so often who means a name.
  return true
}
