import type { z } from 'zod'
import { exceedsValueCount } from '../core/json/excess.ts'
import { faultOf } from '../core/json/number-fault.ts'
import { readToFirstError } from '../core/schema/first-error.ts'
import { wireSchema } from '../core/json/wire-schema.ts'
import { defOf, innerOf, partsOf } from '../core/json/parts.ts'
import { reasonOf, type Fault } from '../errors.ts'
import { mostCharacters } from './faults.ts'
import { fillInput } from './fill-input.ts'
import { writePointer } from './json-pointer.ts'

/** The largest number of faults that are reported for one part of an input. */
const mostFaults = 100

/** The number of issues that are found in the inputs of one batch. Finding 10,000 issues takes about 20 ms. */
export const mostIssues = 10_000

/**
 * The number of issues that may still be found. All inputs of a batch share it. An input with more values is read up to
 * its first issue.
 */
export interface IssueBudget {
  issues: number
}

/** Stands for the value of a reference. No schema of a JSON value accepts it. */
const unknownValue = Symbol('value of a reference')

/**
 * Returns the faults that an input has whatever the values of its references are: those of its literal parts, of the
 * fields of objects and of the lengths of lists. A fault that a value of a reference can cause does not count.
 *
 * @param at The pointer to the value, in front of the pointers of the faults.
 * @param references The objects of references in the value.
 * @param budget The number of issues that may still be found.
 */
export function literalFaults(
  schema: z.ZodType,
  value: unknown,
  at: string,
  references: ReadonlySet<object>,
  budget: IssueBudget = { issues: mostIssues },
): readonly Fault[] {
  if (references.size > 0 && functionsOf(schema).isEarly) return []
  const filled = fillInput(value, new Map([...references].map(object => [object, unknownValue])))
  let issues: readonly z.core.$ZodIssue[]
  try {
    const { success, error } = exceedsValueCount(filled, budget.issues)
      ? readToFirstError(schema, filled)
      : wireSchema(schema).safeParse(filled)
    if (success) return []
    issues = error.issues
    budget.issues -= countOf(issues)
  } catch {
    // A function of the author cannot read the input. The call fails when it is made.
    return []
  }
  const places = issues.map(issue => placeOf(issue.path, value, references))
  const refused = new Set(places.filter(place => typeof place === 'object'))
  // A check of an object runs if its fields are accepted. So it runs on an unknown value only if one was accepted.
  const isCustomSure = [...references].every(object => refused.has(object))
  if (!isCustomSure && functionsOf(schema).isLate) return []
  const faults: Fault[] = []
  let characters = 0
  for (const [index, issue] of issues.entries()) {
    if (faults.length === mostFaults || characters > mostCharacters) break
    if (!isSure(issue, places[index] as Place, isCustomSure)) continue
    const fault = { pointer: at + writePointer(issue.path), reason: faultOf(issue) ?? reasonOf(issue) }
    characters += fault.pointer.length + fault.reason.length
    faults.push(fault)
  }
  return faults
}

/** Returns the number of issues, with those of the options of unions. */
function countOf(issues: readonly z.core.$ZodIssue[]): number {
  let count = issues.length
  for (const issue of issues)
    if (issue.code === 'invalid_union') for (const ofOption of issue.errors) count += countOf(ofOption)
  return count
}

/** The place of an issue: within a reference, above one, or beside all of them. */
type Place = object | 'above' | 'beside'

function placeOf(path: readonly PropertyKey[], value: unknown, references: ReadonlySet<object>): Place {
  let at = value
  for (const key of [...path, undefined]) {
    if (typeof at !== 'object' || at === null) return 'beside'
    if (references.has(at)) return at
    if (key !== undefined) at = Object.hasOwn(at, key) ? (at as Readonly<Record<PropertyKey, unknown>>)[key] : undefined
  }
  return contains(at, references) ? 'above' : 'beside'
}

function contains(value: unknown, references: ReadonlySet<object>): boolean {
  if (references.size === 0 || typeof value !== 'object' || value === null) return false
  return references.has(value) || Object.values(value).some(item => contains(item, references))
}

/** Returns whether an issue does not depend on the value of a reference. */
function isSure(issue: z.core.$ZodIssue, place: Place, isCustomSure: boolean): boolean {
  if (typeof place === 'object') return false
  if (issue.code === 'custom' && faultOf(issue) === undefined) return isCustomSure
  if (place === 'beside') return true
  return (
    issue.code === 'invalid_type' ||
    issue.code === 'unrecognized_keys' ||
    ((issue.code === 'too_small' || issue.code === 'too_big') && issue.origin === 'array')
  )
}

/** The functions of a schema that read values which contain other values. */
interface Functions {
  /** True if a function reads a value before the schemas of its parts, or in spite of their issues. */
  readonly isEarly: boolean
  /** True if a function changes values that its schema has accepted. */
  readonly isLate: boolean
}

const known = new WeakMap<z.ZodType, Functions>()

function functionsOf(schema: z.ZodType): Functions {
  const before = known.get(schema)
  if (before !== undefined) return before
  const seen = new Set<z.ZodType>()
  const open = [schema]
  let [isEarly, isLate] = [false, false]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    const { type, checks = [], in: input } = defOf(next)
    isLate ||= type === 'pipe'
    isEarly ||= (input !== undefined && defOf(input).type === 'transform') || checks.some(hasCondition)
    open.push(...(type === 'lazy' ? [innerOf(next)] : partsOf(next)))
  }
  const functions = { isEarly, isLate }
  known.set(schema, functions)
  return functions
}

/** Returns whether a check of the author has a condition of its own, with which it may run in spite of issues. */
function hasCondition(check: unknown): boolean {
  const { def } = (check as { readonly _zod: { readonly def: { readonly check: string; readonly when?: unknown } } })
    ._zod
  return def.check === 'custom' && def.when !== undefined
}
