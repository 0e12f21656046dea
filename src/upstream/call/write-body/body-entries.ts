import { checkObject } from '../../../core/option-values.ts'
import { ignoreRejection } from '../../../core/promises.ts'

/**
 * Returns the fields of a body that has names: an entry for each value, and several entries for a list. `undefined` and
 * `null` are left out.
 *
 * @throws {TypeError} for a value that is not a plain object
 */
export function entriesOf(value: unknown, owner: string): readonly (readonly [string, unknown])[] {
  ignoreRejection(value)
  checkObject(owner, 'the output of body', value, "{ name: 'tom' }")
  const entries: (readonly [string, unknown])[] = []
  for (const [name, field] of Object.entries(value as object))
    for (const item of Array.isArray(field) ? (field as unknown[]) : [field])
      if (item !== undefined && item !== null) entries.push([name, item])
  return entries
}
