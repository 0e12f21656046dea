import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Current time in ms, and timers at moments of it. */
export interface Clock {
  readonly now: () => number
  /** Calls back at the moment or soon after; the returned function cancels the timer. */
  readonly wakeAt: (moment: number, callback: () => void) => () => void
}

/** Memory that is shared with the timer thread. */
export interface SharedTimer {
  /** Increases whenever `wakeAt` changes. */
  readonly version: Int32Array<SharedArrayBuffer>
  /** The next moment, in ms of `process.hrtime`. */
  readonly wakeAt: Float64Array<SharedArrayBuffer>
}

const minIntervalMs = 0.25

/**
 * Starts a clock whose timers are kept by a thread of their own. It wakes within 0.1 ms. Node's timers have a
 * resolution of 1 ms; they would add half of that to every measured latency.
 */
export async function startPreciseClock(): Promise<Clock & { readonly close: () => Promise<unknown> }> {
  const shared: SharedTimer = {
    version: new Int32Array(new SharedArrayBuffer(4)),
    wakeAt: new Float64Array(new SharedArrayBuffer(8)),
  }
  const timers = new Set<{ readonly moment: number; readonly callback: () => void }>()
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
  let armedFor = Infinity

  /** Waking up costs more than a request, so timers that are close to each other share one wake-up. */
  function arm(moment: number): void {
    armedFor = Math.max(moment, performance.now() + minIntervalMs)
    shared.wakeAt[0] = armedFor + offset
    Atomics.add(shared.version, 0, 1)
    Atomics.notify(shared.version, 0)
  }

  function runDue(): void {
    const now = performance.now()
    const due = [...timers].filter(({ moment }) => moment <= now).sort((one, other) => one.moment - other.moment)
    // A callback may cancel another timer that is due.
    for (const timer of due) if (timers.delete(timer)) timer.callback()
    let next = Infinity
    for (const { moment } of timers) next = Math.min(next, moment)
    arm(next)
  }

  const thread = new Worker(new URL(`./timer-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: shared,
  })
  // The thread posts one message when it has started; there are no timers yet.
  await once(thread, 'message')
  thread.on('message', runDue)

  return {
    now: () => performance.now(),
    wakeAt(moment, callback) {
      const timer = { moment, callback }
      timers.add(timer)
      if (moment < armedFor) arm(moment)
      return () => {
        timers.delete(timer)
      }
    },
    close: () => thread.terminate(),
  }
}
