import { readPointer } from './json-pointer.ts'

/** A reference in the input of a call: the place of a value in the result of another call. */
export interface Reference {
  /** The object `{ "$ref": … }` in the input, which the value replaces. */
  readonly object: object
  /** The place of the object in the input. */
  readonly path: readonly string[]
  /** The id of the call that has the value. */
  readonly id: string
  /** The pointer into the data of the result. */
  readonly tokens: readonly string[]
}

/** An object with a field `$ref` that is not a reference. */
export interface BrokenReference {
  readonly object: object
  readonly path: readonly string[]
  readonly reason: string
}

/**
 * Finds the references in an input, in the order of the input. An input is at most as deep as any body, so this may
 * recurse.
 *
 * @param most The number of references at which the search ends.
 */
export function findReferences(
  input: unknown,
  found: Reference[],
  broken: BrokenReference[],
  most = Infinity,
  path: string[] = [],
): void {
  if (typeof input !== 'object' || input === null || found.length + broken.length >= most) return
  if (!Array.isArray(input) && Object.hasOwn(input, '$ref')) {
    const read = readReference(input)
    if (typeof read === 'string') broken.push({ object: input, path: [...path], reason: read })
    else found.push({ object: input, path: [...path], ...read })
    return
  }
  for (const key of Array.isArray(input) ? input.keys() : Object.keys(input)) {
    const value = (input as Readonly<Record<PropertyKey, unknown>>)[key]
    if (typeof value !== 'object') continue
    path.push(String(key))
    findReferences(value, found, broken, most, path)
    path.pop()
  }
}

const example = 'for example { "$ref": "a#/data/0/id" }'

/** Reads an object with a field `$ref`. Returns the reason for which it is not a reference. */
function readReference(object: object): Pick<Reference, 'id' | 'tokens'> | string {
  const { $ref: text } = object as { readonly $ref: unknown }
  if (Object.keys(object).length > 1) return 'has fields beside $ref: a reference has no other field'
  if (typeof text !== 'string') return `has a $ref that is not a text: write the id of a call and a pointer, ${example}`
  const at = text.indexOf('#')
  if (at === -1) return `has a $ref without #: write the id of a call, # and a pointer, ${example}`
  const tokens = readPointer(text.slice(at + 1))
  if (typeof tokens === 'string') return tokens
  const [first, ...rest] = tokens
  if (first !== 'data') return `has a pointer that does not begin with /data, ${example}`
  return { id: text.slice(0, at), tokens: rest }
}
