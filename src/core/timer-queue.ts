import type { Abortable } from './abort.ts'

/** One abort that is due at a moment, and its neighbours in the order of those moments. */
export interface Timer {
  readonly target: Abortable
  dueAt: number
  previousTimer: Timer | undefined
  nextTimer: Timer | undefined
  isRunning: boolean
}

/** A timer that rings so many ms late says that the loop was held up. */
const heldUpMs = 5

/**
 * Many timeouts of one length on one timer: they fall due in the order they began, so a list and a timer for its head
 * are enough.
 * `npm run bench:steps` has the price beside that of a `setTimeout` each.
 */
export interface TimerQueue {
  /** Cuts `abort` with a reason made by `reason`, unless it is stopped before. */
  start(target: Abortable): Timer
  /** The same for whoever brings the place. */
  add(due: Timer): void
  stop(due: Timer): void
  /** How many are running. */
  readonly size: number
}

/** Makes a set of timeouts of `ms` each; `reason` makes what they cut with. */
export function createTimerQueue(ms: number, reason: () => unknown): TimerQueue {
  let first: Timer | undefined
  let last: Timer | undefined
  let timer: NodeJS.Timeout | undefined
  let size = 0
  let isHeldUp = false

  function ring() {
    const now = performance.now()
    // Timers come before sockets: when the loop was held up, what has arrived meanwhile is read first.
    isHeldUp = !isHeldUp && first !== undefined && now - first.dueAt > heldUpMs
    // Its timer stays until then, so that nobody starts another.
    if (isHeldUp) return void setImmediate(ring)
    clearTimeout(timer)
    timer = undefined
    // A timer of Node counts whole milliseconds and may ring up to one early.
    while (first !== undefined && first.dueAt <= now + 1) {
      const due = first
      stop(due)
      due.target.onAbort(reason())
    }
    if (first === undefined) return
    // Whatever was started meanwhile is due later.
    clearTimeout(timer)
    arm(first.dueAt - now)
  }

  function arm(afterMs: number) {
    timer = setTimeout(ring, Math.max(1, afterMs))
  }

  function stop(due: Timer) {
    if (!due.isRunning) return
    due.isRunning = false
    size--
    const { previousTimer: before, nextTimer: after } = due
    if (before === undefined) first = after
    else before.nextTimer = after
    if (after === undefined) last = before
    else after.previousTimer = before
    // One that is dead and old would keep all that came after it from dying young.
    due.previousTimer = due.nextTimer = undefined
    if (size === 0 && timer !== undefined) {
      clearTimeout(timer)
      timer = undefined
    }
  }

  function enter(due: Timer) {
    due.dueAt = performance.now() + ms
    due.isRunning = true
    due.previousTimer = last
    if (last === undefined) first = due
    else last.nextTimer = due
    last = due
    size++
    if (timer === undefined) arm(ms)
  }

  return {
    start(target) {
      const due: Timer = { target, dueAt: 0, previousTimer: undefined, nextTimer: undefined, isRunning: false }
      enter(due)
      return due
    },
    add: enter,
    stop,
    get size() {
      return size
    },
  }
}
