import { z } from 'zod'
import { readers, readList, Unreadable } from './text-values.ts'
import { defOf, innersOf, rebuilt, type Def } from './wrapped.ts'

/**
 * The input that a schema reads: all values of a query, a path or headers; one value, which may be a list; or one item
 * of a list.
 */
type Place = 'all' | 'value' | 'item'

const known = {
  all: new WeakMap<z.ZodType, z.ZodType>(),
  value: new WeakMap<z.ZodType, z.ZodType>(),
  item: new WeakMap<z.ZodType, z.ZodType>(),
}

/**
 * Returns the schema that reads texts by the rules of docs/http.md: `z.coerce` accepts only a text that represents a
 * value of its type, and a list accepts a single text as a list with one item. Otherwise the result equals the given
 * schema. If nothing has to change, it is the given schema itself. The result is cached per schema.
 */
export function textSchema(schema: z.ZodType): z.ZodType {
  return read(schema, 'all')
}

function read(schema: z.ZodType, place: Place): z.ZodType {
  const before = known[place].get(schema)
  if (before !== undefined) return before
  const made = reading(schema, defOf(schema), place)
  known[place].set(schema, made)
  return made
}

function reading(schema: z.ZodType, def: Def, place: Place): z.ZodType {
  const { type, coerce, element, items, rest, shape, catchall, valueType, getter } = def
  if (getter !== undefined) return z.lazy(() => read(getter(), place))
  const reader = readers[type]
  if (coerce === true && reader !== undefined) return before(rebuilt(schema, { coerce: false }), reader)
  if (element !== undefined || items !== undefined) {
    const list = changed(
      schema,
      { ...(element && { element }), ...(items && { items }), ...(rest && { rest }) },
      'item',
    )
    return place === 'value' ? before(list, readList) : list
  }
  if (type === 'set') return changed(schema, { valueType: valueType as z.ZodType }, 'item')
  // Do not change an object inside a value: a function of the author has created it from a text.
  if (shape !== undefined || type === 'record')
    return place === 'all'
      ? changed(
          schema,
          { ...(shape && { shape }), ...(catchall && { catchall }), ...(valueType && { valueType }) },
          'value',
        )
      : schema
  if (type === 'intersection') return intersection(schema, def, place)
  const { innerType, in: input, out, options } = def
  return changed(
    schema,
    { ...(innerType && { innerType }), ...(input && { in: input }), ...(out && { out }), ...(options && { options }) },
    place,
  )
}

/**
 * Returns the text schema of an intersection. Both sides must read the same value, so a list is created before both of
 * them.
 */
function intersection(schema: z.ZodType, { left, right }: Def, place: Place): z.ZodType {
  const both = changed(schema, { left: left as z.ZodType, right: right as z.ZodType }, place)
  if (place === 'value') return isList(schema) ? before(both, readList) : both
  const names = place === 'all' ? listNames(schema) : undefined
  return names === undefined || names.size === 0
    ? both
    : before(both, value => (typeof value === 'object' && value !== null ? withLists(value, names) : value))
}

/**
 * Returns a view of an object in which the texts of some names are lists. A copy would read all headers, and the run
 * would record that the reply depends on all of them.
 */
function withLists(value: object, names: ReadonlySet<string>): object {
  return new Proxy(value, {
    get: (fields, name) => {
      const field: unknown = Reflect.get(fields, name)
      return names.has(name as string) ? readList(field) : field
    },
  })
}

function isList(schema: z.ZodType): boolean {
  const { type } = defOf(schema)
  return type === 'array' || type === 'tuple' || (type !== 'union' && type !== 'lazy' && innersOf(schema).some(isList))
}

function listNames(schema: z.ZodType): ReadonlySet<string> {
  const { type, shape } = defOf(schema)
  if (shape !== undefined) return new Set(Object.keys(shape).filter(name => isList(shape[name] as z.ZodType)))
  return new Set(type === 'union' || type === 'lazy' ? [] : innersOf(schema).flatMap(inner => [...listNames(inner)]))
}

/** Replaces the inner schemas of a schema by their text schemas. */
function changed(schema: z.ZodType, inners: Partial<Def>, place: Place): z.ZodType {
  let isSame = true
  const change = (inner: z.ZodType) => {
    const made = read(inner, place)
    if (made !== inner) isSame = false
    return made
  }
  const made = Object.fromEntries(
    Object.entries(inners).map(([key, inner]) => {
      if (Array.isArray(inner)) return [key, (inner as readonly z.ZodType[]).map(change)]
      return [
        key,
        key === 'shape'
          ? Object.fromEntries(
              Object.entries(inner as Readonly<Record<string, z.ZodType>>).map(([name, field]) => [
                name,
                change(field),
              ]),
            )
          : change(inner as z.ZodType),
      ]
    }),
  )
  return isSame ? schema : rebuilt(schema, made)
}

interface BeforeDef {
  readonly type: 'before'
  readonly innerType: z.ZodType
  readonly read: (value: unknown) => unknown
}

/**
 * A schema that reads the result of a function. It is not a pipe, because a pipe handles a missing field in another way
 * than its second schema does.
 */
const Before = z.core.$constructor<z.ZodType, BeforeDef>('HeadwatersBefore', (inst, def) => {
  const { innerType, read: readValue } = def
  z.ZodType.init(inst, def as never)
  for (const trait of ['optin', 'optout', 'values', 'propValues', 'pattern'] as const) {
    Object.defineProperty(inst._zod, trait, { get: () => innerType._zod[trait] as unknown, configurable: true })
  }
  inst._zod.parse = (payload, context) => {
    const value = readValue(payload.value)
    if (value instanceof Unreadable) {
      payload.issues.push({ code: 'custom', message: value.reason, input: payload.value, inst })
      return payload
    }
    payload.value = value
    return innerType._zod.run(payload, context)
  }
})

function before(innerType: z.ZodType, readValue: (value: unknown) => unknown): z.ZodType {
  return new Before({ type: 'before', innerType, read: readValue })
}
