import { types } from 'node:util'

/** The number of lists and objects above which the values of one run are not copied. Copying them takes about 5 ms. */
const mostObjects = 50_000

/**
 * Frozen copies of the values of one run. Functions that get a copy cannot change the value. Each value is copied once,
 * so that all snapshots share the copy. Lists, plain objects, maps, sets and dates are copied. Other objects, such as
 * bytes and instances of classes, are passed on.
 */
export class FrozenCopies {
  readonly #copies = new WeakMap<object, unknown>()
  #left = mostObjects

  /** True if the values have been too large. */
  get isFull(): boolean {
    return this.#left < 0
  }

  /**
   * Returns the frozen copy of a value. A value that is frozen on all levels is returned unchanged.
   *
   * @throws RangeError for values that are too large, or contain themselves
   */
  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    let copy = this.#copies.get(value)
    if (copy === undefined) this.#copies.set(value, (copy = this.#copy(value)))
    return copy
  }

  /** Returns a frozen list of the frozen copies of the items. Each item is copied once, whatever list it is in. */
  ofItems(list: readonly unknown[]): readonly unknown[] {
    return Object.freeze(list.map(item => this.of(item)))
  }

  #copy(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    // A view that records which fields are read would record that all of them are.
    if (types.isProxy(value)) return value
    if (--this.#left < 0)
      throw new RangeError(`the values have more than ${mostObjects} objects, so they are not copied for snapshots`)
    if (Array.isArray(value)) return this.#filled(value, value.slice())
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.#filled(value, { ...value })
    if (prototype === null) return this.#filled(value, Object.assign(Object.create(null) as object, value))
    if (prototype === Map.prototype)
      return new Map([...(value as ReadonlyMap<unknown, unknown>)].map(pair => pair.map(part => this.#copy(part)) as never))
    if (prototype === Set.prototype) return new Set([...(value as ReadonlySet<unknown>)].map(item => this.#copy(item)))
    if (prototype === Date.prototype) return new Date(value as Date)
    return value
  }

  /** Replaces the objects in a shallow copy by their copies, and freezes it. Returns the original if nothing differs. */
  #filled(original: object, copy: object): object {
    let isSame = Object.isFrozen(original)
    const fields = copy as Record<string, unknown>
    for (const key in fields) {
      const item = fields[key]
      if (typeof item !== 'object' || item === null) continue
      const copied = this.#copy(item)
      if (copied === item) continue
      // The field is the copy's own, so that not even the name __proto__ sets a prototype.
      fields[key] = copied
      isSame = false
    }
    return isSame ? original : Object.freeze(copy)
  }
}
