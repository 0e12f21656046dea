import type { Abortable } from './abort.ts'

/** A running timer: an entry of a `TimerQueue`, with its links. */
export interface Timer {
  readonly target: Abortable
  dueAt: number
  previousTimer: Timer | undefined
  nextTimer: Timer | undefined
  isRunning: boolean
}

/** The event loop was late if a timer fires this much after its time, in ms. */
const lateMs = 5

/**
 * Many timers of one duration on a single `setTimeout`. They expire in the order of their starts, so a linked list and
 * a timeout for its first entry are enough. `npm run bench:steps` compares its cost with a `setTimeout` per timer.
 */
export interface TimerQueue {
  /** Starts a timer. When it expires, `target.onAbort` is called. */
  start(target: Abortable): Timer
  /** Starts a timer that the caller has created, so that no object is allocated. */
  add(timer: Timer): void
  stop(timer: Timer): void
  /** The number of running timers. */
  readonly size: number
}

/** Creates a queue of timers of `ms` each. An expired timer aborts its target with a result of `reason`. */
export function createTimerQueue(ms: number, reason: () => unknown): TimerQueue {
  let first: Timer | undefined
  let last: Timer | undefined
  let timeout: NodeJS.Timeout | undefined
  let size = 0
  /** The time at which the event loop was late, until the data that had arrived by then is read. */
  let lateAt: number | undefined

  function expire() {
    const now = performance.now()
    // Node runs timers before it polls sockets: after a late turn, data that has arrived is read first.
    if (lateAt === undefined && first !== undefined && now - first.dueAt > lateMs) {
      lateAt = now
      // `timeout` stays set until then, so that `add` does not start another.
      return void setImmediate(expire)
    }
    // A timer that has become due in the turn of the read gets a turn of its own: its data may have arrived meanwhile.
    const dueBy = (lateAt ?? now) + 1
    lateAt = undefined
    clearTimeout(timeout)
    timeout = undefined
    // A timeout of Node counts whole milliseconds and may fire up to 1 ms early.
    while (first !== undefined && first.dueAt <= dueBy) {
      const timer = first
      stop(timer)
      timer.target.onAbort(reason())
    }
    if (first === undefined) return
    // Timers that were started meanwhile expire later.
    clearTimeout(timeout)
    arm(first.dueAt - now)
  }

  function arm(afterMs: number) {
    timeout = setTimeout(expire, Math.max(1, afterMs))
  }

  function stop(timer: Timer) {
    if (!timer.isRunning) return
    timer.isRunning = false
    size--
    const { previousTimer: previous, nextTimer: next } = timer
    if (previous === undefined) first = next
    else previous.nextTimer = next
    if (next === undefined) last = previous
    else next.previousTimer = previous
    // Drop the links: a stopped timer that is tenured would retain all later timers until the next major GC.
    timer.previousTimer = timer.nextTimer = undefined
    if (size === 0 && timeout !== undefined) {
      clearTimeout(timeout)
      timeout = undefined
    }
  }

  function add(timer: Timer) {
    timer.dueAt = performance.now() + ms
    timer.isRunning = true
    timer.previousTimer = last
    if (last === undefined) first = timer
    else last.nextTimer = timer
    last = timer
    size++
    if (timeout === undefined) arm(ms)
  }

  return {
    start(target) {
      const timer: Timer = { target, dueAt: 0, previousTimer: undefined, nextTimer: undefined, isRunning: false }
      add(timer)
      return timer
    },
    add,
    stop,
    get size() {
      return size
    },
  }
}
