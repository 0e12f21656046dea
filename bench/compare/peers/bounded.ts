import { settings } from '../settings.ts'

/**
 * Makes a function that makes `count` calls, as many at once as width and slots allow, and gives their values in order.
 */
export function boundedCalls() {
  const slots = boundedSlots()

  return async function callAll<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
    const values: T[] = []
    values.length = count
    let next = 0

    async function runner() {
      while (next < count) {
        const index = next++
        const waiting = slots.enter()
        if (waiting) await waiting
        try {
          values[index] = await call(index)
        } finally {
          slots.leave()
        }
      }
    }

    await Promise.all(Array.from({ length: Math.min(settings.width, count) }, runner))
    return values
  }
}

function boundedSlots() {
  const { slots, queue } = settings
  // A ring, because shifting a long array would be part of the floor's price.
  const ring = Array.from<(() => void) | undefined>({ length: queue })
  let free: number = slots
  let first = 0
  let waiting = 0

  function enter(): Promise<void> | undefined {
    if (free > 0) {
      free--
      return undefined
    }
    if (waiting === queue) throw new Error('the queue is full')
    return new Promise(resolve => {
      ring[(first + waiting) % queue] = resolve
      waiting++
    })
  }

  function leave() {
    if (waiting === 0) {
      free++
      return
    }
    const admit = ring[first]
    ring[first] = undefined
    first = (first + 1) % queue
    waiting--
    admit?.()
  }

  return { enter, leave }
}
