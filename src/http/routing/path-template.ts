import { decodeReserved, decodeUnreserved } from './percent-encoding.ts'

/** One segment of a path template: literal text, a parameter, or parameters with literal text beside them. */
export interface Segment {
  /** The names of its parameters, in order. */
  readonly names: readonly string[]
  /** The literal text before, between and after the parameters, decoded: one text more than there are names. */
  readonly literals: readonly string[]
  /**
   * True if reserved characters such as `,` match encoded and unencoded, since the template has one of them encoded.
   * Otherwise they match unencoded only.
   */
  readonly isDecoded: boolean
}

const placeholder = /\{([^{}]*)\}/g

/** Characters that stand for themselves in a regular expression, also in a character class. */
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

/** Returns whether Fastify's router matches a path template by itself. `Dispatcher` matches the others. */
export function isPlainTemplate(template: string): boolean {
  return segmentsOf(template).every(isPlain)
}

/**
 * Returns a text that is the same for path templates that match the same URLs: those that differ in the names of their
 * parameters, or in the encoding of a character.
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
 * Each parameter with text beside it has a pattern, with which the router finds the segments that can match and leaves
 * other segments to other routes. The router compares decoded text, so `Dispatcher` decides.
 */
export function fastifyPath(template: string): string {
  return `/${segmentsOf(template)
    .map(segment => fastifySegment(segment))
    .join('/')}`
}

/**
 * Returns a text that is the same for segments that Fastify's router takes for one route. It compares routes without
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

/** Literal text before the first parameter of a segment. The router encodes `%` itself. */
function fastifyText(literal: string): string {
  return literal.replaceAll(':', '::')
}

/**
 * Literal text after a parameter. A slash would end the segment there, and the router would encode `%`, so each is the
 * pattern of a parameter of its own, with an empty second one for `%`: the router tells routes apart by their number.
 */
function innerText(literal: string, parameter: Parameter): string {
  return literal
    .replaceAll(':', '::')
    .replaceAll(/[/%]/g, character =>
      character === '/' ? parameter('0', '\\u002f') : `${parameter('0', '%')}${parameter('0', '')}`,
    )
}

/**
 * The pattern of a parameter: at least one character, and up to the first occurrence of the literal after it. No
 * position is tried twice, so that a match takes linear time.
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
