import type { TemplateBook } from './template-book.ts'

/** The list that a function has made with one item of a list that is not known. */
export interface UnknownList {
  /** The template of the list: `found`. */
  readonly of: string
  /** The largest number of its items, if the function has cut it; otherwise undefined. */
  readonly atMost: number | undefined
}

const placeholders = new WeakMap<object, Unknown>()
const lists = new WeakMap<object, UnknownList>()

/**
 * Returns a placeholder: it stands for a value that an explanation does not have. Its fields, its items and the results
 * of its methods are placeholders too, its text is a token of the book, as a number it is NaN, and it can be awaited.
 * A list that is made from it with `map` has one item.
 *
 * @param template - The text that is shown for the value, such as `found`.
 */
export function placeholder(book: TemplateBook, template: string): unknown {
  return new Unknown(book, template, `${template}[*]`, template, undefined).proxy
}

/** Returns the token of a placeholder; undefined for any other value. */
export function tokenOf(value: unknown): string | undefined {
  const unknown = typeof value === 'function' ? placeholders.get(value) : undefined
  return unknown?.token
}

/** Returns the list that is not known from which an array was made; undefined for any other value. */
export function unknownListOf(value: unknown): UnknownList | undefined {
  return typeof value === 'object' && value !== null ? lists.get(value) : undefined
}

type Callback = (item: unknown, index: number, list: unknown) => unknown

/** Methods that return some of the items, or all of them in another order. */
const sublists = new Set(['filter', 'slice', 'sort', 'toSorted', 'reverse', 'toReversed', 'flat'])

/** Methods that return one item. */
const pickers = new Set(['find', 'findLast', 'pop', 'shift'])

/** One value that is not known. */
class Unknown implements ProxyHandler<() => void> {
  readonly #book: TemplateBook
  readonly #template: string
  readonly #itemTemplate: string
  /** The template of the whole list of which this value has some items. */
  readonly #listTemplate: string
  readonly #atMost: number | undefined
  readonly #children = new Map<string, unknown>()
  readonly proxy: unknown

  constructor(
    book: TemplateBook,
    template: string,
    itemTemplate: string,
    listTemplate: string,
    atMost: number | undefined,
  ) {
    this.#book = book
    this.#template = template
    this.#itemTemplate = itemTemplate
    this.#listTemplate = listTemplate
    this.#atMost = atMost
    const proxy = new Proxy(() => {}, this)
    placeholders.set(proxy, this)
    this.proxy = proxy
  }

  get token(): string {
    return this.#book.tokenOf(this.#template)
  }

  get(_target: unknown, key: string | symbol): unknown {
    this.#book.read()
    if (key === Symbol.iterator) return () => [this.#item()].values()
    if (key === Symbol.toPrimitive) return (hint: string) => this.#primitive(hint)
    if (typeof key === 'symbol' || key === 'then') return undefined
    if (key === 'toString' || key === 'toJSON' || key === 'valueOf') return () => this.#primitive('string')
    return (
      this.#method(key) ?? this.#child(key, isIndex(key) ? `${this.#template}[${key}]` : `${this.#template}.${key}`)
    )
  }

  apply(): unknown {
    this.#book.read()
    return this.#child('()', `${this.#template}()`)
  }

  has(): boolean {
    this.#compared()
    return false
  }

  ownKeys(): string[] {
    this.#compared()
    return []
  }

  getOwnPropertyDescriptor(): undefined {
    this.#compared()
    return undefined
  }

  getPrototypeOf(): null {
    return null
  }

  /** Ignores a change: a function may set fields of a value that it got. */
  set(): boolean {
    this.#book.read()
    return true
  }

  deleteProperty(): boolean {
    return true
  }

  #compared(): void {
    this.#book.read()
    this.#book.compared(this.#template)
  }

  #primitive(hint: string): string | number {
    this.#compared()
    return hint === 'number' ? Number.NaN : this.token
  }

  #child(key: string, template: string): unknown {
    const known = this.#children.get(key)
    if (known !== undefined) return known
    const child = placeholder(this.#book, template)
    this.#children.set(key, child)
    return child
  }

  #item(): unknown {
    this.#book.read()
    return this.#child('[*]', this.#itemTemplate)
  }

  /** Returns a method of a list; undefined for a name that is a field or any other method. */
  #method(name: string): unknown {
    if (name === 'map') return (each: Callback) => this.#list([each(this.#item(), 0, this.proxy)])
    if (name === 'flatMap') return (each: Callback) => this.#list([each(this.#item(), 0, this.proxy)].flat())
    if (name === 'forEach') return (each: Callback) => void each(this.#item(), 0, this.proxy)
    if (name === 'at') return (index: number) => this.#at(index)
    if (sublists.has(name)) return (...given: readonly unknown[]) => this.#sublist(name, given)
    return pickers.has(name) ? () => this.#item() : undefined
  }

  #at(index: number): unknown {
    const template = index >= 0 ? `${this.#template}[${index}]` : `${this.#template}.at(${index})`
    return this.#child(`at ${index}`, template)
  }

  #sublist(name: string, [from, to]: readonly unknown[]): unknown {
    const length = name === 'slice' && typeof from === 'number' && typeof to === 'number' ? to - from : undefined
    const atMost = length !== undefined && length >= 0 ? Math.min(length, this.#atMost ?? length) : this.#atMost
    return new Unknown(this.#book, `${this.#template}.${name}()`, this.#itemTemplate, this.#listTemplate, atMost).proxy
  }

  #list(items: unknown[]): unknown[] {
    lists.set(items, { of: this.#listTemplate, atMost: this.#atMost })
    return items
  }
}

function isIndex(key: string): boolean {
  const index = Number(key)
  return Number.isInteger(index) && index >= 0 && String(index) === key
}
