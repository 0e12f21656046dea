import type { Def, Parser } from './parser-parts.ts'

/** The parts of a zod check that decide which values pass it. */
interface CheckDef {
  readonly check: string
  readonly value?: unknown
  readonly inclusive?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly pattern?: RegExp
}

/** All integers whose magnitude is below this are exact. */
const exactBelow = 2 ** 53

/**
 * Returns the parser of a number or a string with checks. It accepts a value that clearly passes all checks, and leaves
 * any other value to zod.
 *
 * @param isWire whether the values come from `JSON.parse`, which rounds large integers silently
 * @returns `undefined` for another type, or for a check that only zod knows
 */
export function checkedParser(def: Def, isWire: boolean, zodParser: Parser): Parser | undefined {
  if (def.coerce === true) return undefined
  const checks = [...(def.check === undefined ? [] : [def as unknown as CheckDef]), ...checksOf(def)]
  if (def.type === 'number') return numberParser(checks, isWire, zodParser)
  return def.type === 'string' ? stringParser(checks, zodParser) : undefined
}

function checksOf({ checks = [] }: Def): CheckDef[] {
  return (checks as readonly { readonly _zod: { readonly def: CheckDef } }[]).map(({ _zod: { def } }) => def)
}

function numberParser(checks: readonly CheckDef[], isWire: boolean, zodParser: Parser): Parser | undefined {
  // NaN and the infinities do not pass these bounds.
  let [above, atLeast, atMost, below] = [-Infinity, -Infinity, Infinity, Infinity]
  let isInteger = false
  for (const { check, value, inclusive, format } of checks) {
    const isBound = typeof value === 'number'
    if (check === 'greater_than' && isBound) {
      if (inclusive === true) atLeast = Math.max(atLeast, value)
      else above = Math.max(above, value)
    } else if (check === 'less_than' && isBound) {
      if (inclusive === true) atMost = Math.min(atMost, value)
      else below = Math.min(below, value)
    } else if (check === 'number_format' && format === 'safeint') isInteger = true
    else return undefined
  }
  if (isInteger || isWire) {
    above = Math.max(above, -exactBelow)
    below = Math.min(below, exactBelow)
  }
  return value =>
    typeof value === 'number' &&
    value > above &&
    value >= atLeast &&
    value <= atMost &&
    value < below &&
    (!isInteger || Number.isInteger(value))
      ? value
      : zodParser(value)
}

function stringParser(checks: readonly CheckDef[], zodParser: Parser): Parser | undefined {
  let [atLeast, atMost] = [0, Infinity]
  const patterns: RegExp[] = []
  for (const { check, minimum, maximum, format, pattern } of checks) {
    // zod counts code points, and a code point has at most two units.
    if (check === 'min_length' && minimum !== undefined)
      atLeast = Math.max(atLeast, minimum > 1 ? 2 * minimum : minimum)
    else if (check === 'max_length' && maximum !== undefined) atMost = Math.min(atMost, maximum)
    else if (check === 'string_format' && format === 'regex' && pattern !== undefined) patterns.push(pattern)
    else return undefined
  }
  return value =>
    typeof value === 'string' && value.length >= atLeast && value.length <= atMost && matchesAll(patterns, value)
      ? value
      : zodParser(value)
}

function matchesAll(patterns: readonly RegExp[], text: string): boolean {
  for (const pattern of patterns) {
    // A pattern with the flag `g` or `y` remembers where it has stopped.
    pattern.lastIndex = 0
    if (!pattern.test(text)) return false
  }
  return true
}
