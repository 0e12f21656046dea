import type { FastifyInstance } from 'fastify'
import type { Segment } from './path-template.ts'
import { decodeReserved, decodeUnreserved } from './percent-encoding.ts'

/** The options of Fastify's router that decide which URLs are equal. */
export interface RouterOptions {
  readonly caseSensitive: boolean
  readonly ignoreTrailingSlash: boolean
  readonly ignoreDuplicateSlashes: boolean
  readonly useSemicolonDelimiter: boolean
}

/** Returns the options of an app's router. */
export function routerOptionsOf({ initialConfig }: FastifyInstance): RouterOptions {
  const {
    caseSensitive = true,
    ignoreTrailingSlash = false,
    ignoreDuplicateSlashes = false,
    useSemicolonDelimiter = false,
  } = { ...initialConfig, ...initialConfig.routerOptions }
  return { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes, useSemicolonDelimiter }
}

/**
 * Returns the segments of a request target's path, still percent-encoded.
 *
 * @param target The target in origin form or absolute form (RFC 9112, section 3.2).
 */
export function pathSegments(target: string, options: RouterOptions): readonly string[] {
  const end = target.search(options.useSemicolonDelimiter ? /[?#;]/ : /[?#]/)
  let path = end === -1 ? target : target.slice(0, end)
  if (!path.startsWith('/')) path = path.replace(/^[^/]*\/\/[^/]*/, '')
  if (options.ignoreDuplicateSlashes) path = path.replaceAll(/\/{2,}/g, '/')
  if (options.ignoreTrailingSlash && path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
  return path.slice(1).split('/')
}

/**
 * Returns the segments of a template in the form that a router with these options compares. The trailing slash is
 * removed if the router ignores it, and the segments are in lower case if the router ignores case.
 */
export function comparedSegments(
  segments: readonly Segment[],
  { caseSensitive, ignoreTrailingSlash }: RouterOptions,
): readonly Segment[] {
  const last = segments.at(-1)
  const isSlash = segments.length > 1 && last?.names.length === 0 && last.literals[0] === ''
  const kept = ignoreTrailingSlash && isSlash ? segments.slice(0, -1) : segments
  return caseSensitive ? kept : kept.map(each => ({ ...each, literals: each.literals.map(lowerCase) }))
}

/** One segment of a path in a form that is compared with templates. */
interface SegmentText {
  readonly text: string
  /** The same in lower case if the router ignores case. */
  readonly compared: string
}

/** A path that is matched with many templates. Each segment is decoded at its first use, and once per form. */
export class DecodedPath {
  readonly length: number
  readonly #segments: readonly string[]
  readonly #caseSensitive: boolean
  readonly #partly: (SegmentText | undefined)[] = []
  readonly #wholly: (SegmentText | undefined)[] = []

  /** @param segments The segments that `pathSegments` returned. */
  constructor(segments: readonly string[], caseSensitive: boolean) {
    this.length = segments.length
    this.#segments = segments
    this.#caseSensitive = caseSensitive
  }

  /**
   * Returns a decoded segment. With `isDecoded` false, encoded reserved characters stay distinct from unencoded ones.
   */
  at(index: number, isDecoded: boolean): SegmentText {
    return isDecoded
      ? (this.#wholly[index] ??= this.#form(decodeReserved(this.at(index, false).text)))
      : (this.#partly[index] ??= this.#form(decodeUnreserved(this.#segments[index] as string)))
  }

  #form(text: string): SegmentText {
    return { text, compared: this.#caseSensitive ? text : lowerCase(text) }
  }
}

/**
 * Matches the last segments of a path with the `comparedSegments` of a template. The segments before them are the
 * prefix of the app.
 *
 * @returns The values of the parameters in order, decoded once. Undefined if the path does not match.
 */
export function matchSegments(segments: readonly Segment[], path: DecodedPath): readonly string[] | undefined {
  const start = path.length - segments.length
  if (start < 0) return undefined
  const values: string[] = []
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as Segment
    const found = matchSegment(segment, path.at(start + index, segment.isDecoded))
    if (found === undefined) return undefined
    values.push(...found)
  }
  // A value of a fully decoded segment does not contain the marks of reserved characters, so it is not changed.
  return values.map(decodeReserved)
}

/**
 * Matches one segment of a path in linear time. Every value has at least one character. If a value can end at several
 * places, the values on the left are as long as possible.
 */
function matchSegment({ names, literals }: Segment, { text, compared }: SegmentText): readonly string[] | undefined {
  const [prefix = ''] = literals
  const suffix = literals[names.length] as string
  if (names.length === 0) return compared === prefix ? [] : undefined
  if (!compared.startsWith(prefix) || !compared.endsWith(suffix)) return undefined
  const values = names.map(() => '')
  let end = text.length - suffix.length
  for (let index = names.length - 1; index > 0; index--) {
    const literal = literals[index] as string
    const last = end - literal.length - 1
    const at = last < 0 ? -1 : compared.lastIndexOf(literal, last)
    if (at === -1) return undefined
    values[index] = text.slice(at + literal.length, end)
    end = at
  }
  if (end <= prefix.length) return undefined
  values[0] = text.slice(prefix.length, end)
  return values
}

/**
 * Returns a text in lower case. Returns the text unchanged if its lower case has a different length, because positions
 * in it would be wrong.
 */
function lowerCase(text: string): string {
  const lower = text.toLowerCase()
  return lower.length === text.length ? lower : text
}
