/** Types that `DeepReadonly` leaves unchanged: they have no fields to write, or, as bytes, cannot be frozen. */
type Whole =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | ((...given: never) => unknown)
  | Date
  | RegExp
  | URL
  | Error
  | Promise<unknown>
  | ArrayBuffer
  | ArrayBufferView
  | Blob

/**
 * The same type, readonly all the way down.
 *
 * @typeParam T arrays and tuples become readonly ones, and `Map` and `Set` become `ReadonlyMap` and `ReadonlySet`
 */
export type DeepReadonly<T> = 0 extends 1 & T
  ? T
  : T extends Whole
    ? T
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
      : T extends ReadonlySet<infer V>
        ? ReadonlySet<DeepReadonly<V>>
        : T extends object
          ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
          : T

/** Levels that are walked by recursion. Deeper ones are walked with a list, because the stack is limited. */
const maxLevel = 100

interface Walk {
  /** Values at the level where the walk stops calling itself. */
  readonly open: object[]
  /** Values that were met frozen: they may be open inside, or part of a cycle. */
  frozenBefore: Set<object> | undefined
}

/**
 * Freezes a value all the way down, through arrays, objects, maps and sets.
 * Bytes stay as they are, and so does what a `Date`, a `Map` or a `Set` holds inside: JavaScript freezes none of it.
 *
 * @returns the value itself
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  const walk: Walk = { open: [value], frozenBefore: undefined }
  for (let next = walk.open.pop(); next !== undefined; next = walk.open.pop()) freezeFrom(next, walk, 0)
  return value
}

function freezeFrom(value: object, walk: Walk, level: number): void {
  if (level === maxLevel) return void walk.open.push(value)
  if (ArrayBuffer.isView(value)) return
  if (Object.isFrozen(value)) {
    const met = (walk.frozenBefore ??= new Set())
    if (met.has(value)) return
    met.add(value)
  } else Object.freeze(value)
  if (Array.isArray(value)) return freezeItems(value, walk, level + 1)
  // Most of what is frozen is plain; a list of its values would cost as much as all the rest.
  if (Object.getPrototypeOf(value) !== Object.prototype) return freezeItems(partsOf(value), walk, level + 1)
  for (const key in value) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof item === 'object' && item !== null) freezeFrom(item, walk, level + 1)
  }
}

function partsOf(value: object): readonly unknown[] {
  if (value instanceof Map) return [...value.keys(), ...value.values()] as unknown[]
  return value instanceof Set ? ([...value] as unknown[]) : Object.values(value)
}

function freezeItems(items: readonly unknown[], walk: Walk, level: number): void {
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (typeof item === 'object' && item !== null) freezeFrom(item, walk, level)
  }
}
