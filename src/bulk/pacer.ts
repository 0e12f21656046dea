import { setTimeout as delay } from 'node:timers/promises'

/** The load of the process in which a run works. */
export interface PacerLoad {
  /** The time in ms. */
  now(): number
  /** The time in which the event loop was not idle, in ms from any start. */
  busyMs(): number
  /** True if the service sheds load, or if calls wait for permits. */
  isPressed(): boolean
  /** The number of requests and runs of callers so far, in flight or ended. */
  liveRuns(): number
}

/** The time over which the load is measured, in ms. */
const windowMs = 100
/** Live traffic counts as present for this time after a run, in ms. */
const liveMs = 2000
/** The shares of the event loop up to which the rate grows. Work in bursts makes requests wait. */
const shares = { live: 0.5, alone: 0.9 } as const
/** The limits and the start of the rate, in items per second. */
const rates = { least: 10, start: 200, most: 100_000 } as const
/** The change of the rate per window. It falls faster than it grows. */
const growth = 1.15
const decline = 0.7
/** The largest number of items that start at once, as time in ms. The calls of a burst make requests wait. */
const burstMs = { live: 3, alone: 50 } as const
/**
 * The rate may exceed the number of started items by this factor. Without this limit it would grow for as long as
 * something else limits the items, and allow large bursts then.
 */
const headroom = 1.5

/**
 * Decides when the next item of a run may start, so that the requests of callers do not wait for it. The rate of items
 * grows while the event loop is idle enough, and falls when it is not. No item starts while the service is pressed.
 */
export class Pacer {
  readonly #load: PacerLoad
  #rate: number = rates.start
  #tokens = 1
  #tokensAt: number
  #windowAt: number
  #windowBusy: number
  #liveRuns: number
  #liveAt = -Infinity
  /** The items that have started in the present window. */
  #started = 0

  constructor(load: PacerLoad) {
    this.#load = load
    this.#tokensAt = this.#windowAt = load.now()
    this.#windowBusy = load.busyMs()
    this.#liveRuns = load.liveRuns()
  }

  /** The present rate, in items per second. */
  get rate(): number {
    return this.#rate
  }

  /** Resolves when an item may start. Rejects with the reason of the signal. */
  async admit(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const waitMs = this.next()
      if (waitMs === 0) return
      await delay(waitMs, undefined, { signal }).catch(() => {})
    }
  }

  /** Takes the right to start an item now and returns 0, or returns the time after which to ask again, in ms. */
  next(): number {
    this.#measure()
    if (this.#load.isPressed()) return windowMs
    const now = this.#load.now()
    const most = Math.max(1, (this.#rate * (this.#isLive(now) ? burstMs.live : burstMs.alone)) / 1000)
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#tokensAt) * this.#rate) / 1000)
    this.#tokensAt = now
    if (this.#tokens < 1) return Math.min(windowMs, Math.ceil(((1 - this.#tokens) * 1000) / this.#rate))
    this.#tokens--
    this.#started++
    return 0
  }

  #isLive(now: number): boolean {
    return now - this.#liveAt < liveMs
  }

  #grown(perSecond: number): number {
    return Math.min(rates.most, Math.max(rates.start, headroom * perSecond), growth * this.#rate)
  }

  #measure(): void {
    const { now, busyMs, liveRuns } = {
      now: this.#load.now(),
      busyMs: this.#load.busyMs(),
      liveRuns: this.#load.liveRuns(),
    }
    if (liveRuns > this.#liveRuns) this.#liveAt = now
    this.#liveRuns = liveRuns
    const ms = now - this.#windowAt
    if (ms < windowMs) return
    const isBusy = busyMs - this.#windowBusy > (this.#isLive(now) ? shares.live : shares.alone) * ms
    this.#rate = Math.max(rates.least, isBusy ? this.#rate * decline : this.#grown((1000 * this.#started) / ms))
    this.#windowAt = now
    this.#windowBusy = busyMs
    this.#started = 0
  }
}
