import type { Primitive } from './primitive.ts'

/**
 * Types that `DeepReadonly` leaves unchanged: they have no writable fields, or they are bytes, which cannot be frozen.
 */
type Whole =
  | Primitive
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
 * The same type with every level readonly.
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
  /** Values at the level where the recursion stops. They are walked later. */
  readonly open: object[]
  /** Values that were frozen before this walk. They may contain values that are not frozen, or be part of a cycle. */
  frozenBefore: Set<object> | undefined
}

/**
 * Freezes a value and all values in it, through arrays, objects, maps and sets. Bytes and the internal data of a
 * `Date`, a `Map` or a `Set` stay mutable, because JavaScript cannot freeze them. Prototypes of classes are not frozen.
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
  if (ArrayBuffer.isView(value) || isPrototype(value)) return
  if (Object.isFrozen(value)) {
    const met = (walk.frozenBefore ??= new Set())
    if (met.has(value)) return
    met.add(value)
  } else Object.freeze(value)
  if (Array.isArray(value)) return freezeItems(value, walk, level + 1)
  // Most values are plain objects. Walk their fields directly: creating a list of the values would cost as much as the
  // rest.
  if (Object.getPrototypeOf(value) !== Object.prototype) return freezeItems(partsOf(value), walk, level + 1)
  for (const key in value) {
    const item = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof item === 'object' && item !== null) freezeFrom(item, walk, level + 1)
  }
}

/**
 * Returns true for the prototype of a class, such as `Object.prototype`. `table['__proto__']` is one: if a caller
 * chooses the key, a value contains it. Frozen, it would be frozen for the whole process.
 */
export function isPrototype(value: object): boolean {
  if (!Object.hasOwn(value, 'constructor')) return false
  const { constructor } = value
  return typeof constructor === 'function' && constructor.prototype === value
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
