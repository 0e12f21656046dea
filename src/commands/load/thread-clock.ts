import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from './clock.ts'

/** What the thread that waits shares with the one that is woken. */
export interface Alarm {
  /** Changes when the moment does. */
  readonly turn: Int32Array<SharedArrayBuffer>
  /** When to wake, in ms of `process.hrtime`. */
  readonly moment: Float64Array<SharedArrayBuffer>
}

const apartMs = 0.25

/**
 * The clock of this process, with a thread that does nothing but wait: it wakes within a tenth of a millisecond, where
 * Node's timers, of whole milliseconds, are late by a half, which would be in every latency.
 */
export async function threadClock(): Promise<Clock & { readonly close: () => Promise<unknown> }> {
  const alarm: Alarm = {
    turn: new Int32Array(new SharedArrayBuffer(4)),
    moment: new Float64Array(new SharedArrayBuffer(8)),
  }
  const waiting = new Set<{ readonly moment: number; readonly wake: () => void }>()
  const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
  let armed = Infinity

  function arm(moment: number): void {
    armed = moment
    alarm.moment[0] = moment + offset
    Atomics.add(alarm.turn, 0, 1)
    Atomics.notify(alarm.turn, 0)
  }

  /** Being woken costs more than sending: what is due within moments of each other is sent together. */
  function armFor(moment: number): void {
    arm(Math.max(moment, performance.now() + apartMs))
  }

  function ring(): void {
    const now = performance.now()
    const due = [...waiting].filter(({ moment }) => moment <= now).sort((one, other) => one.moment - other.moment)
    // One may call off another.
    for (const entry of due) if (waiting.delete(entry)) entry.wake()
    let next = Infinity
    for (const { moment } of waiting) next = Math.min(next, moment)
    armFor(next)
  }

  const thread = new Worker(new URL('./wait.ts', import.meta.url), { workerData: alarm })
  // It rings once when it is there: nothing waits yet.
  await once(thread, 'message')
  thread.on('message', ring)

  return {
    now: () => performance.now(),
    at(moment, wake) {
      const entry = { moment, wake }
      waiting.add(entry)
      if (moment < armed) armFor(moment)
      return () => {
        waiting.delete(entry)
      }
    },
    close: () => thread.terminate(),
  }
}
