import { Agent, request } from 'undici'
import type { Teardown } from './serve-http.ts'
import { elapsed, until } from './until.ts'
import type { VersionedUpstream } from './versioned-upstream.ts'

/** The reply to a request for an item, or an unexpected one with its text. */
export type ItemReply =
  | { readonly status: 200; readonly key: string; readonly version: number }
  | { readonly status: number; readonly text: string }

/** Reads an item, or changes it. */
export type AskItem = (key: string, method?: 'GET' | 'PUT') => Promise<ItemReply>

/** A reply that is an error, that is the item of another key, or that is older than a confirmed change. */
export interface WrongReply {
  readonly key: string
  /** The least version of the reply. @default the request was a change */
  readonly least?: number
  readonly reply: ItemReply | { readonly error: string }
}

const keys = Array.from({ length: 60 }, (_, index) => `item-${index}`)
const callers = 12

/**
 * The time in which a message about a change arrives, and in which calls from before the change end, on a busy machine,
 * in ms. It is a fraction of the time for which an old entry would be used.
 */
const deliveryMs = 250

/** Returns a function that sends requests for items to replicas of `startReplicas`. */
export function itemClient(t: Teardown, origin: string): AskItem {
  const dispatcher = new Agent({ connections: 64 })
  t.teardown(() => dispatcher.destroy())
  return async (key, method = 'GET') => {
    const { statusCode, body } = await request(`${origin}/items/${key}`, { method, dispatcher })
    const text = await body.text()
    if (statusCode !== 200) return { status: statusCode, text }
    return { status: 200, ...(JSON.parse(text) as { key: string; version: number }) }
  }
}

/**
 * Resolves when a request to each replica does not reach the upstream. Each replica has a client of its own: beside other
 * callers, the rotation of nginx can leave a replica out.
 */
export async function untilShared(asks: readonly AskItem[], upstream: VersionedUpstream): Promise<void> {
  await until(async () => {
    const before = upstream.callsOf('shared').length
    for (const ask of asks) await ask('shared')
    return upstream.callsOf('shared').length === before
  })
}

export interface CheckedLoadOptions {
  /**
   * Called after each change. Resolves with true if the changes so far count: a later reply must not be older.
   * @default each change counts
   */
  readonly countsChanges?: () => Promise<boolean>
}

/**
 * Starts callers that read items, and one that changes them. Each reply is compared with the last change that was
 * confirmed when its request was sent, and that counts.
 */
export function startCheckedLoad(ask: AskItem, { countsChanges = async () => true }: CheckedLoadOptions = {}) {
  const changes = new Map<string, { readonly version: number; readonly at: number }[]>()
  /** The confirmed changes that do not count yet. */
  const pending: { readonly key: string; readonly version: number }[] = []
  const wrong: WrongReply[] = []
  let replies = 0
  let counted = 0
  let isOver = false

  const send: (...args: Parameters<AskItem>) => Promise<WrongReply['reply']> = (...args) =>
    ask(...args).catch((error: unknown) => ({ error: String(error) }))

  /** Returns the least version of a reply to a request that is sent now. */
  function leastOf(key: string): number {
    const now = performance.now()
    return changes.get(key)?.findLast(({ at }) => now - at >= deliveryMs)?.version ?? 1
  }

  function count(confirmed: typeof pending): void {
    const at = performance.now()
    counted += confirmed.length
    for (const { key, version } of confirmed) changes.set(key, [...(changes.get(key) ?? []), { version, at }])
  }

  async function read(start: number) {
    for (let turn = start; !isOver; turn += callers) {
      const key = keys[turn % keys.length] as string
      const least = leastOf(key)
      const reply = await send(key)
      replies++
      if (!('version' in reply) || reply.key !== key || reply.version < least) wrong.push({ key, least, reply })
      await elapsed(10)
    }
  }

  async function change() {
    for (let turn = 0; !isOver; turn++) {
      const key = keys[(7 * turn) % keys.length] as string
      const reply = await send(key, 'PUT')
      if (!('version' in reply)) wrong.push({ key, reply })
      else pending.push({ key, version: reply.version })
      if (await countsChanges()) count(pending.splice(0))
      await elapsed(30)
    }
  }

  const ended = Promise.all([change(), ...Array.from({ length: callers }, (_, index) => read(index))])
  return {
    /** The wrong replies so far. */
    wrong: wrong as readonly WrongReply[],
    /** The number of changes that count. */
    get counted(): number {
      return counted
    },
    /** Ends the callers. Resolves with the number of replies to reads. */
    async stop(): Promise<number> {
      isOver = true
      await ended
      return replies
    },
  }
}
