import { DecodedPath, matchSegments } from './match-path.ts'
import type { Segment } from './path-template.ts'

/**
 * Compares two templates. The smaller template is matched with a URL first. The first segments that differ decide. The
 * order is: literal text, parameters with text next to them, a parameter without text. Of two segments with parameters
 * and text, the segment with more text comes first. The order of declaration does not matter.
 */
export function compareSpecificity(one: readonly Segment[], other: readonly Segment[]): number {
  for (let index = 0; index < Math.min(one.length, other.length); index++) {
    const order = compareSegments(one[index] as Segment, other[index] as Segment)
    if (order !== 0) return order
  }
  return one.length - other.length
}

function compareSegments(one: Segment, other: Segment): number {
  const byKind = kindOf(one) - kindOf(other)
  if (byKind !== 0) return byKind
  const byLength = other.literals.join('').length - one.literals.join('').length
  if (byLength !== 0) return byLength
  const [text, otherText] = [one.literals.join('\0'), other.literals.join('\0')]
  if (text !== otherText) return text < otherText ? -1 : 1
  // `,` matches itself only, and `%2C` matches `,` too.
  return Number(one.isDecoded) - Number(other.isDecoded)
}

function kindOf({ names, literals }: Segment): number {
  if (names.length === 0) return 0
  return literals.some(each => each !== '') ? 1 : 2
}

/** Returns whether one URL may match both templates. */
export function mayOverlap(one: readonly Segment[], other: readonly Segment[]): boolean {
  return one.length === other.length && one.every((segment, index) => mayMeet(segment, other[index] as Segment))
}

function mayMeet(one: Segment, other: Segment): boolean {
  if (one.names.length > 0 && other.names.length > 0) return true
  const [{ literals }, segment] = one.names.length === 0 ? [one, other] : [other, one]
  const text = encodeURIComponent(literals[0] as string)
  return matchSegments([{ ...segment, isDecoded: true }], new DecodedPath([text], true)) !== undefined
}
