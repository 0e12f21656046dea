import type { Side } from './schema-types.ts'
import { mark } from './unrepresentable.ts'

/** The mark of a schema that matches only numbers that JSON does not have. */
export const nonFinite = 'NaN or Infinity'

/**
 * Removes NaN and Infinity from the bounds, the default and the examples in the draft of one schema. Marks a schema
 * whose fixed values include NaN or Infinity. On the request side it removes them instead and marks the schema only if
 * no fixed value remains, since a request cannot contain them.
 *
 * @param defaultValue The default in zod. In the draft its numbers are `null` already.
 */
export function withoutNonFinite(draft: Record<string, unknown>, defaultValue: unknown, side: Side): void {
  const { examples, enum: values } = draft
  if (holdsNonFinite(defaultValue)) delete draft['default']
  if (Array.isArray(examples)) draft['examples'] = examples.filter(each => !holdsNonFinite(each))
  if (Array.isArray(values)) {
    const left = values.filter(each => !holdsNonFinite(each))
    if (left.length === 0 || (left.length < values.length && side === 'output')) draft[mark] = nonFinite
    else draft['enum'] = left
  }
  for (const [keyword, value] of Object.entries(draft)) {
    if (typeof value !== 'number' || Number.isFinite(value)) continue
    if (keyword === 'const') draft[mark] = nonFinite
    else delete draft[keyword]
  }
}

function holdsNonFinite(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNonFinite)
}
