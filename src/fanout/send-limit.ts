import type { CallCompletion, SendItem } from './call-group.ts'
import type { Item } from './chain.ts'

interface WaitingItem {
  readonly send: SendItem
  readonly item: Item
  readonly index: number
  readonly completion: CallCompletion
}

/**
 * Returns a function that limits functions of the kind `SendItem`. All functions that it returns share the limit: they
 * send their items in order, with at most `limit` items in flight.
 */
export function sendLimit(limit: number): (send: SendItem) => SendItem {
  if (limit === Infinity) return send => send
  const waiting: WaitingItem[] = []
  let inFlight = 0
  let isDraining = false

  /** An item may end before `send` returns; the outer loop then goes on. */
  function drain(): void {
    if (isDraining) return
    isDraining = true
    while (inFlight < limit && waiting.length > 0) start(waiting.shift() as WaitingItem)
    isDraining = false
  }

  function start({ send, item, index, completion }: WaitingItem): void {
    inFlight++
    send(item, index, {
      resolve(at, value, cached, isAbsent) {
        completion.resolve(at, value, cached, isAbsent)
        ended()
      },
      reject(at, error) {
        completion.reject(at, error)
        ended()
      },
    })
  }

  function ended(): void {
    inFlight--
    drain()
  }

  return send => (item, index, completion) => {
    waiting.push({ send, item, index, completion })
    drain()
  }
}
