import type { CallCompletion, SendItem } from './call-group.ts'
import type { Item } from './chain.ts'

/** The items of one list in flight, of which `perPlace` use one place. */
interface Used {
  items: number
  readonly perPlace: number
}

interface WaitingItem {
  readonly send: SendItem
  readonly used: Used
  readonly item: Item
  readonly index: number
  readonly completion: CallCompletion
}

/** Limits a function of the kind `SendItem`. `perPlace` is the number of items that use one place, by default 1. */
export type LimitSend = (send: SendItem, perPlace?: number) => SendItem

/**
 * Returns a function that limits functions of the kind `SendItem`. All functions that it returns share the limit: they
 * send their items in order, and the items in flight use at most `limit` places.
 */
export function sendLimit(limit: number): LimitSend {
  if (limit === Infinity) return send => send
  const waiting: WaitingItem[] = []
  let places = 0
  let isDraining = false

  /** An item may end before `send` returns; the outer loop then goes on. */
  function drain(): void {
    if (isDraining) return
    isDraining = true
    while (waiting.length > 0 && hasPlace((waiting[0] as WaitingItem).used)) start(waiting.shift() as WaitingItem)
    isDraining = false
  }

  /** A place that the list uses has room for one more item, or a place is free. */
  function hasPlace({ items, perPlace }: Used): boolean {
    return items % perPlace > 0 || places < limit
  }

  function start({ send, used, item, index, completion }: WaitingItem): void {
    if (used.items++ % used.perPlace === 0) places++
    send(item, index, {
      resolve(at, value, cached, isAbsent) {
        completion.resolve(at, value, cached, isAbsent)
        ended(used)
      },
      reject(at, error) {
        completion.reject(at, error)
        ended(used)
      },
    })
  }

  function ended(used: Used): void {
    if (--used.items % used.perPlace === 0) places--
    drain()
  }

  return (send, perPlace = 1) => {
    const used: Used = { items: 0, perPlace }
    return (item, index, completion) => {
      waiting.push({ send, used, item, index, completion })
      drain()
    }
  }
}
