import { LinkedQueue, type QueueNode } from '../../core/linked-queue.ts'
import { createChanges } from '../../upstream/policies/cache/changes.ts'
import { machineClock, type Clock, type Entry } from '../../upstream/policies/cache/entry.ts'
import { stringBytes } from '../../upstream/policies/cache/memory-size.ts'
import type { CacheStoreLookup } from '../../upstream/policies/cache/store.ts'

/** The limits of the memory level. */
export interface MemoryLevelOptions {
  /** The limit on the memory of all entries, in bytes. */
  readonly maxBytes: number
  /** The time for which an entry is used, in ms. */
  readonly ttl: number
  /** The time for which entries are used after the server has answered, in ms. */
  readonly contactMs: number
  readonly clock?: Clock
}

/** A lookup that the server has answered. */
export interface ReadLookup {
  readonly key: string
  readonly uri: string
  readonly entry: unknown
  readonly generation: string
  /** The time at which it was sent. */
  readonly sentAt: number
}

/** The bytes of an entry other than its strings: its objects, and its places in the indexes. */
const ownBytes = 1024

/** An entry in memory. It is used until one of the two times. */
interface Item extends QueueNode<Item> {
  readonly key: string
  readonly uri: string
  readonly lookup: CacheStoreLookup
  readonly bytes: number
  /** The time until which the entry is used. */
  readonly until: number
}

/**
 * Entries that were read from the server a short time ago.
 *
 * An entry is used only while this process would receive the message of its invalidation: the subscription is live,
 * and the server has answered a lookup (a write) within `contactMs`. An unsafe call elsewhere waits longer than
 * `contactMs` for a server that does not answer. So no entry is used after an unsafe call of its URI has ended, except
 * for the time that a message takes. If a message is lost, `ttl` limits the use.
 */
export class MemoryLevel {
  hits = 0
  bytes = 0
  readonly #options: MemoryLevelOptions
  readonly #clock: Clock
  /** The entries by URI and by key. */
  readonly #items = new Map<string, Map<string, Item>>()
  /** The entries in the order in which they were added. */
  readonly #queue = new LinkedQueue<Item>()
  #changes = createChanges()
  #isSubscribed = false
  /** Lookups that were sent before this time may lack an invalidation. */
  #validFrom = Infinity
  /** The time at which the last lookup was sent that the server has answered. */
  #contactAt = -Infinity

  constructor(options: MemoryLevelOptions) {
    this.#options = options
    this.#clock = options.clock ?? machineClock
  }

  get entries(): number {
    return this.#queue.size
  }

  /** Returns the lookup of a key, or `undefined`. */
  find(key: string, uri: string): CacheStoreLookup | undefined {
    const item = this.#items.get(uri)?.get(key)
    if (item === undefined) return undefined
    const now = this.#clock.steady()
    if (now >= item.until || now - this.#contactAt >= this.#options.contactMs) return undefined
    this.hits++
    return item.lookup
  }

  /** Records that the server has answered a lookup. */
  answered(sentAt: number): void {
    this.#contactAt = Math.max(this.#contactAt, sentAt)
  }

  /** Adds the entry of a lookup if it may be used again. The entry must be frozen, because several calls receive it. */
  add({ key, uri, entry, generation, sentAt }: ReadLookup): void {
    if (!this.#isSubscribed || sentAt <= this.#validFrom || this.#changes.since(uri, sentAt)) return
    if (!isEntryOf(entry, key, generation)) return
    const now = this.#clock.steady()
    const until = Math.min(sentAt + this.#options.ttl, entry.receivedAt + entry.lifetime - entry.initialAge)
    if (!(until > now)) return
    this.#replace(key, uri, { entry: entry as Entry, generation }, until, sizeOf(entry))
    this.#trim(now)
  }

  /** Removes the entries of a URI. Lookups that are under way are not added. */
  invalidate(uri: string): void {
    this.#changes.note(uri, this.#clock.steady())
    for (const item of this.#items.get(uri)?.values() ?? []) this.#remove(item)
  }

  remove(key: string, uri: string): void {
    const item = this.#items.get(uri)?.get(key)
    if (item !== undefined) this.#remove(item)
  }

  /** Messages arrive from now on, or can be lost. */
  setSubscribed(isSubscribed: boolean): void {
    this.#isSubscribed = isSubscribed
    this.clear()
  }

  /** Removes all entries. Lookups that are under way are not added. */
  clear(): void {
    this.#validFrom = this.#clock.steady()
    this.#contactAt = -Infinity
    this.#changes = createChanges()
    for (let item = this.#queue.first; item !== undefined; item = this.#queue.first) this.#remove(item)
  }

  #replace(key: string, uri: string, lookup: CacheStoreLookup, until: number, bytes: number): void {
    this.remove(key, uri)
    const links = { queue: undefined, previousInQueue: undefined, nextInQueue: undefined }
    const item: Item = { key, uri, lookup, until, bytes, ...links }
    let ofUri = this.#items.get(uri)
    if (ofUri === undefined) this.#items.set(uri, (ofUri = new Map()))
    ofUri.set(key, item)
    this.#queue.add(item)
    this.bytes += bytes
  }

  /** Removes the oldest entries: those whose time is over, and those above the limit. */
  #trim(now: number): void {
    for (let item = this.#queue.first; item !== undefined; item = this.#queue.first) {
      if (now < item.until && this.bytes <= this.#options.maxBytes) return
      this.#remove(item)
    }
  }

  #remove(item: Item): void {
    const ofUri = this.#items.get(item.uri) as Map<string, Item>
    ofUri.delete(item.key)
    if (ofUri.size === 0) this.#items.delete(item.uri)
    this.#queue.remove(item)
    this.bytes -= item.bytes
  }
}

/** The fields of an entry that the memory level reads. The cache checks the others. */
interface TimedEntry {
  readonly head: object
  readonly body: string
  readonly receivedAt: number
  readonly initialAge: number
  readonly lifetime: number
}

function isEntryOf(entry: unknown, key: string, generation: string): entry is TimedEntry {
  if (typeof entry !== 'object' || entry === null) return false
  const stored = entry as Partial<Entry>
  return (
    stored.key === key &&
    stored.generation === generation &&
    typeof stored.body === 'string' &&
    typeof stored.head === 'object' &&
    stored.head !== null &&
    [stored.receivedAt, stored.initialAge, stored.lifetime].every(time => typeof time === 'number')
  )
}

/** Returns the memory of an entry. Its parsed value, which is kept with it, counts like its body. */
function sizeOf({ head, body }: TimedEntry): number {
  return ownBytes + 2 * (JSON.stringify(head).length + stringBytes(body))
}
