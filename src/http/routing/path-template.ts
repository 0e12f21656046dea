import { decodeReserved, decodeUnreserved } from './percent-encoding.ts'

/** One segment of a path template: literal text, a parameter, or parameters with literal text next to them. */
export interface Segment {
  /** The names of its parameters, in order. */
  readonly names: readonly string[]
  /**
   * The literal text before, between and after the parameters, decoded. There is one more text than there are names.
   */
  readonly literals: readonly string[]
  /**
   * True if reserved characters such as `,` match both encoded and unencoded, because the template contains an encoded
   * one. If false, they match only unencoded.
   */
  readonly isDecoded: boolean
}

const placeholder = /\{([^{}]*)\}/g

/** Characters without a special meaning in a regular expression, also in a character class. */
const harmless = /[A-Za-z0-9_,;=@~!&]/

/** Returns the segments of a path template, which begins with a slash. */
export function segmentsOf(template: string): readonly Segment[] {
  return template.slice(1).split('/').map(segmentOf)
}

function segmentOf(text: string): Segment {
  const literals = text.split(/\{[^{}]*\}/).map(decodeUnreserved)
  const decoded = literals.map(decodeReserved)
  return {
    names: parameterNames(text),
    literals: decoded,
    isDecoded: literals.some((each, at) => each !== decoded[at]),
  }
}

/** Returns the names of a path template's parameters, in order. */
export function parameterNames(template: string): string[] {
  return Array.from(template.matchAll(placeholder), match => match[1] as string)
}

/** Returns whether Fastify's router matches a segment by itself: literal text, or one parameter. */
function isPlain({ names, literals, isDecoded }: Segment): boolean {
  return names.length === 0 ? !isDecoded && !literals[0]?.includes('*') : literals.every(each => each === '')
}

/** Returns whether Fastify's router matches a path template by itself. `Dispatcher` matches the remaining templates. */
export function isPlainTemplate(template: string): boolean {
  return segmentsOf(template).every(isPlain)
}

/**
 * Returns the same text for all path templates that match the same URLs. Such templates differ only in the names of
 * their parameters or in the encoding of a character.
 */
export function pathShape(template: string): string {
  return shapeOf(segmentsOf(template))
}

/** Returns the `pathShape` of segments. */
export function shapeOf(segments: readonly Segment[]): string {
  return JSON.stringify(segments.map(({ literals, isDecoded }) => [isDecoded, ...literals]))
}

/**
 * Returns a path template in Fastify's syntax: `/breeds/{id}` is `/breeds/:id`, and a literal colon is `::`.
 *
 * Each parameter with text next to it has a pattern. With the pattern the router finds segments that can match, and
 * tries other routes for the remaining segments. The router compares decoded text, so `Dispatcher` makes the final
 * decision.
 */
export function fastifyPath(template: string): string {
  return `/${segmentsOf(template)
    .map(segment => fastifySegment(segment))
    .join('/')}`
}

/**
 * Returns the same text for all segments that Fastify's router treats as one route. The router compares routes without
 * the names and the patterns of their parameters.
 */
export function routerKey(segments: readonly Segment[]): string {
  return segments.map(segment => fastifySegment(segment, () => ':()')).join('/')
}

/** Writes a parameter in Fastify's syntax. */
type Parameter = (name: string, pattern: string) => string

const withPattern: Parameter = (name, own) => `:${name}(${own})`

function fastifySegment(segment: Segment, parameter = withPattern): string {
  const { names, literals } = segment
  const [before = '', ...after] = literals
  if (isPlain(segment)) return names.length === 0 ? fastifyText(before) : `:${names[0]}`
  return names.reduce(
    (path, name, index) =>
      `${path}${parameter(name, pattern(after, index))}${innerText(after[index] as string, parameter)}`,
    segment.isDecoded || before.includes('*')
      ? `${parameter('0', '')}${innerText(before, parameter)}`
      : fastifyText(before),
  )
}

/** Returns literal text before the first parameter of a segment. The router encodes `%` itself. */
function fastifyText(literal: string): string {
  return literal.replaceAll(':', '::')
}

/**
 * Returns literal text after a parameter. There a slash would end the segment, and the router would encode `%`. So each
 * of the two becomes the pattern of an additional parameter. `%` gets a second, empty parameter, because the router
 * distinguishes routes by the number of their parameters.
 */
function innerText(literal: string, parameter: Parameter): string {
  return literal
    .replaceAll(':', '::')
    .replaceAll(/[/%]/g, character =>
      character === '/' ? parameter('0', '\\u002f') : `${parameter('0', '%')}${parameter('0', '')}`,
    )
}

/**
 * Returns the pattern of a parameter: at least one character, up to the first occurrence of the literal after it. The
 * pattern tries no position twice, so that a match takes linear time.
 */
function pattern(after: readonly string[], index: number): string {
  const literal = after[index] as string
  if (index === after.length - 1) return '[^]+'
  return literal.length === 1 ? `[^][^${escaped(literal)}]*` : `[^](?:(?!${escaped(literal)})[^])*`
}

function escaped(literal: string): string {
  return Array.from({ length: literal.length }, (_, index) =>
    harmless.test(literal.charAt(index))
      ? literal.charAt(index)
      : `\\u${literal.charCodeAt(index).toString(16).padStart(4, '0')}`,
  ).join('')
}
