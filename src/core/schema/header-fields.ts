import type { z } from 'zod'
import { isHeaderName } from '../headers.ts'
import { defOf, innersOf, type Def } from './wrapped.ts'

/** The headers that a schema reads. */
export interface HeaderFields {
  /** The author's spelling of each name, by the name in lower case. */
  readonly spelled: ReadonlyMap<string, string>
  /**
   * True if the schema can read headers that it does not name: a record, a loose object, or a function in front of the
   * schema.
   */
  readonly isOpen: boolean
  /** True if the schema freezes its input. */
  readonly isFrozen: boolean
  /**
   * True if the schema can read all headers unchanged, because it reads only the headers that it names, in lower case.
   */
  readonly isDirect: boolean
}

/** Types that read headers that they do not name, to refuse them or to pass them to a function. */
const lookingTypes = new Set(['record', 'catch'])

/** Types that get all headers unchanged, for themselves or for a function of the author. */
const openTypes = new Set(['any', 'unknown', 'custom', 'transform'])

/**
 * Returns the headers that a schema reads, through every wrapper.
 * @throws TypeError for a name that is not the name of a header, and for two names that differ by case only
 */
export function headerFields(owner: string, schema: z.ZodType): HeaderFields {
  const spelled = new Map<string, string>()
  const seen = new Set<z.ZodType>()
  let isOpen = false
  let isFrozen = false
  let isLooking = false

  function add(name: string): void {
    const lower = name.toLowerCase()
    const other = spelled.get(lower) ?? name
    if (!isHeaderName(name)) throw new TypeError(`${owner}: '${name}' is not the name of a header`)
    if (other !== name)
      throw new TypeError(
        `${owner}: '${other}' and '${name}' are the same header, because header names are case-insensitive: ` +
          'keep one spelling',
      )
    spelled.set(lower, name)
  }

  function walk(part: z.ZodType | undefined): void {
    // A schema of another version of zod does not have a definition; checkZod refuses it.
    if (part === undefined || part._zod === undefined || seen.has(part)) return
    seen.add(part)
    const def = defOf(part)
    const { type, shape = {}, catchall, innerType, options = [], left, right } = def
    if (openTypes.has(type) || (catchall !== undefined && catchall._zod.def.type !== 'never')) isOpen = true
    if (lookingTypes.has(type) || catchall !== undefined) isLooking = true
    for (const name of Object.keys(shape)) add(name)
    for (const each of [innerType, left, right, ...options]) walk(each)
    if (type === 'readonly' && givesOn(part)) isFrozen = true
    if (type === 'record') walkRecord(part, def)
    else if (type === 'pipe') walkPipe(def)
    else if (type === 'lazy') walkLazy(def)
  }

  function walkRecord(part: z.ZodType, { keyType, mode }: Def): void {
    const names = keyType?._zod.values
    if (names === undefined || mode === 'loose') isOpen = true
    for (const name of names ?? []) add(String(name))
  }

  /** Walks a pipe. Its second schema reads headers only if the first schema may return them unchanged. */
  function walkPipe(def: Def): void {
    walk(def.in)
    if (isOpen) walk(def.out)
  }

  function walkLazy({ getter }: Def): void {
    let inner: z.ZodType | undefined
    try {
      inner = getter?.()
    } catch {
      // The schema refers to a constant that is declared later in the file.
      isOpen = true
    }
    walk(inner)
  }

  walk(schema)
  const isDirect =
    !isOpen &&
    !isLooking &&
    Array.from(spelled).every(([lower, name]) => lower === name && !(lower in Object.prototype))
  return { spelled, isOpen, isFrozen, isDirect }
}

/** Returns whether a schema may return its input object itself. Other schemas return a copy. */
function givesOn(schema: z.ZodType, within: readonly z.ZodType[] = []): boolean {
  if (within.includes(schema)) return false
  const { type, in: input, out } = defOf(schema)
  if (openTypes.has(type)) return true
  const inside = [...within, schema]
  if (input !== undefined && out !== undefined) return givesOn(input, inside) && givesOn(out, inside)
  try {
    return innersOf(schema).some(inner => givesOn(inner, inside))
  } catch {
    // A lazy schema that is declared later in the file may return its input.
    return true
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * Returns the received headers that a schema names, in the author's spelling. With `others`, also returns all other
 * received headers, by lower-case name.
 */
export function spelledHeaders(
  { spelled }: Pick<HeaderFields, 'spelled'>,
  headers: Headers,
  others = false,
): Record<string, string | string[] | undefined> {
  // Use no prototype: a schema that names `constructor` must not read the inherited property.
  const own = (others ? {} : Object.create(null)) as Record<string, string | string[] | undefined>
  if (others) for (const name of Object.keys(headers)) if (!spelled.has(name)) own[name] = headers[name]
  for (const [lower, name] of spelled) if (Object.hasOwn(headers, lower)) own[name] = headers[lower]
  return own
}
