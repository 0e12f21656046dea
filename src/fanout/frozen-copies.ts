import { types } from 'node:util'

/** The number of values above which the values of one run are not copied. Copying them takes about 5 ms. */
const mostValues = 100_000

type Fields = Record<string | number, unknown>

/**
 * Frozen copies of the values of one run. A function that gets a copy cannot change the value. Lists, plain objects,
 * maps, sets and dates are copied. Other objects, such as bytes and instances of classes, are passed on.
 */
export class FrozenCopies {
  readonly #copies = new WeakMap<object, unknown>()
  #left = mostValues
  /** True if the last copy has a part that cannot be frozen. */
  #isMutable = false

  /** True if the values have been too large. */
  get isFull(): boolean {
    return this.#left < 0
  }

  /**
   * Returns the frozen copy of a value, which is made once. A value that is frozen on all levels is returned unchanged.
   * A value with a map, a set or a date is copied each time, because its copy can be changed.
   *
   * @throws RangeError for values that are too large, or contain themselves
   */
  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    const known = this.#copies.get(value)
    if (known !== undefined) return known
    this.#isMutable = false
    const copy = this.#copy(value)
    if (!this.#isMutable) this.#copies.set(value, copy)
    return copy
  }

  /** Returns a frozen list of the frozen copies of the items. */
  ofItems(list: readonly unknown[]): readonly unknown[] {
    return Object.freeze(list.map(item => this.of(item)))
  }

  #copy(value: object): object {
    // A view that records which of its fields are read would record all of them.
    if (types.isProxy(value)) return value
    if (Array.isArray(value)) return this.#copyList(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.#copyFields(value, { ...value })
    if (prototype === null) return this.#copyFields(value, Object.assign(Object.create(null) as object, value))
    if (prototype === Map.prototype) return new Map(this.#copyParts([...(value as ReadonlyMap<unknown, unknown>)]))
    if (prototype === Set.prototype) return new Set(this.#copyParts([...(value as ReadonlySet<unknown>)]))
    if (prototype !== Date.prototype) return value
    this.#isMutable = true
    return new Date(value as Date)
  }

  #copyList(list: readonly unknown[]): object {
    this.#count(list.length)
    const copy: unknown[] = list.slice()
    let isSame = Object.isFrozen(list)
    for (let index = 0; index < copy.length; index++) if (this.#copyAt(copy as unknown as Fields, index)) isSame = false
    return isSame ? list : Object.freeze(copy)
  }

  /** Replaces the objects in a shallow copy by their copies. Returns the original if it is frozen on all levels. */
  #copyFields(original: object, copy: object): object {
    let size = 0
    let isSame = Object.isFrozen(original)
    for (const key in copy) {
      size++
      if (this.#copyAt(copy as Fields, key)) isSame = false
    }
    this.#count(size)
    return isSame ? original : Object.freeze(copy)
  }

  /** Returns whether the copy differs. The field is the copy's own: not even the name __proto__ sets a prototype. */
  #copyAt(copy: Fields, key: string | number): boolean {
    const item = copy[key]
    if (typeof item !== 'object' || item === null) return false
    const copied = this.#copy(item)
    if (copied === item) return false
    copy[key] = copied
    return true
  }

  /** Copies the items of a set, or the pairs of a map. */
  #copyParts<T>(parts: T[]): T[] {
    const copy = this.#copyList(parts) as T[]
    this.#isMutable = true
    return copy
  }

  #count(values: number): void {
    this.#left -= 1 + values
    if (this.#left < 0)
      throw new RangeError(`the run has more than ${mostValues} values, so they are not copied for snapshots`)
  }
}
