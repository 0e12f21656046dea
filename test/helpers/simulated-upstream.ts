import { UpstreamError } from '../../src/errors.ts'
import type { LiveCall } from '../../src/upstream/call/live-call.ts'
import type { Answer, Service } from '../../src/upstream/call/layer.ts'

/** Time that passes as fast as the machine can count it. */
export class SimulatedClock {
  now = 0
  /** A heap: the nearest is first. */
  readonly #events: { readonly at: number; readonly act: () => void }[] = []

  after(ms: number, act: () => void): void {
    const events = this.#events
    const event = { at: this.now + ms, act }
    let place = events.length
    for (
      let above = (place - 1) >> 1;
      place > 0 && (events[above] as typeof event).at > event.at;
      above = (place - 1) >> 1
    ) {
      events[place] = events[above] as typeof event
      place = above
    }
    events[place] = event
  }

  /** Lets all that is due until then happen, and after each all that follows from it. */
  async until(end: number): Promise<void> {
    for (let event = this.#take(end); event !== undefined; event = this.#take(end)) {
      this.now = event.at
      event.act()
      // Comes after every promise that follows from it, and is cheaper than a turn of the event loop.
      await new Promise<void>(resolve => {
        process.nextTick(resolve)
      })
    }
    this.now = end
  }

  /** Lets everything happen that is due at any time. Nothing that follows from it waits for a promise. */
  run(): void {
    for (let event = this.#take(Infinity); event !== undefined; event = this.#take(Infinity)) {
      this.now = event.at
      event.act()
    }
  }

  #take(end: number): { readonly at: number; readonly act: () => void } | undefined {
    const events = this.#events
    const [first] = events
    if (first === undefined || first.at > end) return undefined
    const last = events.pop() as typeof first
    if (last === first) return first
    let place = 0
    for (let below = 1; below < events.length; below = 2 * place + 1) {
      if (below + 1 < events.length && (events[below + 1] as typeof first).at < (events[below] as typeof first).at)
        below++
      const child = events[below] as typeof first
      if (child.at >= last.at) break
      events[place] = child
      place = below
    }
    events[place] = last
    return first
  }
}

export interface SimulatedUpstreamOptions {
  readonly clock: SimulatedClock
  /** How many calls it works at. */
  capacity: number
  /** How many more it keeps; beyond them it answers 503 in a millisecond. */
  readonly queue: number
  /** How long the next call is worked at, in ms. */
  readonly workMs: () => number
  /** After how many ms a caller gives up; the work is done all the same. */
  readonly timeout: number
}

/** An upstream with so many hands and a queue before them, on a simulated clock. */
export function simulatedUpstream(options: SimulatedUpstreamOptions): Service {
  const { clock, queue, workMs, timeout } = options
  const kept: (() => void)[] = []
  let busy = 0

  function work(done: () => void): void {
    busy++
    clock.after(workMs(), () => {
      busy--
      while (busy < options.capacity && kept.length > 0) kept.shift()?.()
      done()
    })
  }

  return <T>(_call: LiveCall<T>) =>
    new Promise<Answer<T>>((resolve, reject) => {
      const start = () => work(() => resolve({ value: undefined as T, status: 200 }))
      if (busy >= options.capacity && kept.length >= queue) {
        clock.after(1, () => reject(new UpstreamError('UPSTREAM_BUSY', 'simulated', { upstreamStatus: 503 })))
        return
      }
      clock.after(timeout, () => reject(new UpstreamError('UPSTREAM_TIMEOUT', 'simulated')))
      if (busy < options.capacity) start()
      else kept.push(start)
    })
}
