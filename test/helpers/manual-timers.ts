import { EventEmitter } from 'node:events'
import type { Timers } from '../../src/upstream/connect/happy-eyeballs.ts'
import { untilEvent } from './until.ts'

/** Timers that ring when the test says so. */
export interface ManualTimers extends Timers<NodeJS.Timeout> {
  /** The times of the timers that are set, in ms, in the order in which they were set. */
  readonly pending: readonly number[]
  /**
   * Rings the timer that was set first, as soon as there is one, and resolves with its time. What it starts has sent
   * its first question then, and no answer has come.
   */
  ring(): Promise<number>
}

export function manualTimers(): ManualTimers {
  const set = new Map<NodeJS.Timeout, { readonly ms: number; readonly onTimeout: () => void }>()
  const events = new EventEmitter()
  return {
    set(onTimeout, ms) {
      const timer = {} as NodeJS.Timeout
      set.set(timer, { ms, onTimeout })
      events.emit('set')
      return timer
    },
    clear(timer) {
      if (timer !== undefined) set.delete(timer)
    },
    get pending() {
      return Array.from(set.values(), ({ ms }) => ms)
    },
    async ring() {
      await untilEvent(events, 'set', () => set.size > 0)
      const [[timer, { ms, onTimeout }]] = [...set] as [[NodeJS.Timeout, { ms: number; onTimeout: () => void }]]
      set.delete(timer)
      onTimeout()
      return ms
    },
  }
}
