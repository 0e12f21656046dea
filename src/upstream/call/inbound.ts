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
 * Answers for headers whatever the case of the name, and records what is read. The proxy's target is the headers
 * themselves.
 */
class Inbound implements ProxyHandler<InboundHeaders> {
  readonly #reads: HeaderReads | undefined
  readonly #spelled: ReadonlyMap<string, string>

  constructor(reads: HeaderReads | undefined, spelled: ReadonlyMap<string, string>) {
    this.#reads = reads
    this.#spelled = spelled
  }

  /** Records the read of a property, and returns its header's value. */
  #read(headers: InboundHeaders, property: string | symbol): string | string[] | undefined {
    if (typeof property === 'symbol') return undefined
    const name = property.toLowerCase()
    // A text that cannot be the name of a header would break the `vary` that it is written to.
    if (isHeaderName(name)) this.#reads?.read(name)
    return Object.hasOwn(headers, name) ? headers[name] : undefined
  }

  get(headers: InboundHeaders, property: string | symbol): unknown {
    // Methods such as hasOwnProperty are those of any object, and no header has their names.
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
 * Shows headers to code that may ask for them in any case.
 * @param headers - an extensible object, by lower-case name
 * @param reads - records what is read
 * @param spelled - how names are listed, by the name in lower case
 */
export function inboundHeaders<H extends InboundHeaders>(headers: H, reads?: HeaderReads, spelled = unspelled): H {
  return new Proxy(
    headers,
    reads === undefined && spelled === unspelled ? unrecorded : new Inbound(reads, spelled),
  ) as H
}
