import type { JsonSchema } from './schema-types.ts'

type Parts = Readonly<Record<string, JsonSchema>>

const prefix = '#/$defs/'

/** Returns the name of the part to which a `$ref` refers: a name of `$defs`, or `#` for the root. */
export function partName(ref: string): string {
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : ref
}

/** Returns for each part the names of the parts to which it refers, directly or through others. */
export function reachOf(parts: Parts): ReadonlyMap<string, ReadonlySet<string>> {
  const direct = new Map(Object.entries(parts).map(([name, part]) => [name, refersTo(part, parts)]))
  return new Map(
    Object.keys(parts).map(name => {
      // The loop also visits the names that are added to the set during the iteration.
      const reached = new Set(direct.get(name))
      for (const each of reached) for (const next of direct.get(each) ?? []) reached.add(next)
      return [name, reached]
    }),
  )
}

function refersTo(value: unknown, parts: Parts, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found
  for (const [key, each] of Object.entries(value)) {
    if (key === '$ref' && typeof each === 'string' && Object.hasOwn(parts, partName(each))) found.add(partName(each))
    else refersTo(each, parts, found)
  }
  return found
}

/**
 * Returns the same JSON Schema with some references replaced.
 *
 * @param replace Returns what a part contributes at a reference to it; undefined to keep the reference.
 */
export function withoutRefs<T>(value: T, replace: (name: string) => object | undefined): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each: unknown) => withoutRefs(each, replace)) as T
  const { $ref, ...rest } = value as { readonly $ref?: unknown }
  const replacement = typeof $ref === 'string' ? replace(partName($ref)) : undefined
  if (replacement !== undefined) return { ...replacement, ...rest } as T
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutRefs(each, replace)])) as T
}
