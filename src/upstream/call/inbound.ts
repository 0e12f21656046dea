import { isHeaderName } from '../../core/headers.ts'

/** Inbound headers, by lower-case name. */
export type InboundHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Records which headers of a request its run has read. */
export interface HeaderReads {
  /** Records a name, in lower case. */
  read(name: string): void
  /** Records that every header was read. */
  readAll(): void
}

const unspelled: ReadonlyMap<string, string> = new Map()

/**
 * Finds headers by a name in any case, and records the names that are read. The target of the proxy is the object with
 * the headers.
 */
class Inbound implements ProxyHandler<InboundHeaders> {
  readonly #reads: HeaderReads | undefined
  readonly #spelled: ReadonlyMap<string, string>

  constructor(reads: HeaderReads | undefined, spelled: ReadonlyMap<string, string>) {
    this.#reads = reads
    this.#spelled = spelled
  }

  /** Records that a property was read, and returns the value of its header. */
  #read(headers: InboundHeaders, property: string | symbol): string | string[] | undefined {
    if (typeof property === 'symbol') return undefined
    const name = property.toLowerCase()
    // A text that is not a header name would make the `vary` header of the reply invalid.
    if (isHeaderName(name)) this.#reads?.read(name)
    return Object.hasOwn(headers, name) ? headers[name] : undefined
  }

  get(headers: InboundHeaders, property: string | symbol): unknown {
    // Methods such as hasOwnProperty belong to every object. No header has their names.
    return property in Object.prototype ? Reflect.get(Object.prototype, property) : this.#read(headers, property)
  }

  has(headers: InboundHeaders, property: string | symbol): boolean {
    return this.#read(headers, property) !== undefined
  }

  getOwnPropertyDescriptor(headers: InboundHeaders, property: string | symbol): PropertyDescriptor | undefined {
    const value = this.#read(headers, property)
    return value === undefined ? undefined : { value, writable: false, enumerable: true, configurable: true }
  }

  ownKeys(headers: InboundHeaders): string[] {
    this.#reads?.readAll()
    return Object.keys(headers).map(name => this.#spelled.get(name) ?? name)
  }

  defineProperty(): boolean {
    return false
  }

  deleteProperty(): boolean {
    return false
  }
}

const unrecorded = new Inbound(undefined, unspelled)

/**
 * Returns a view of headers that finds names in any case.
 *
 * @param headers An extensible object, by lower-case name.
 * @param reads Records the names that are read.
 * @param spelled The spelling in which names are listed, by the name in lower case.
 */
export function inboundHeaders<H extends InboundHeaders>(headers: H, reads?: HeaderReads, spelled = unspelled): H {
  return new Proxy(
    headers,
    reads === undefined && spelled === unspelled ? unrecorded : new Inbound(reads, spelled),
  ) as H
}
