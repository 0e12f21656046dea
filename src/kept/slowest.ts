/** The time for which the durations of an aggregate are compared, in ms. */
const windowMs = 5 * 60_000

/** The number of slow runs of an aggregate in one window. */
const most = 20

/** The number of runs that must be known before a run counts as slow. */
const leastKnown = 50

interface Window {
  startedAt: number
  seen: number
  /** The longest durations, ascending. */
  readonly longest: number[]
  /** The duration above which a run was slow in the window before; `undefined` if it had too few runs. */
  before: number | undefined
}

/** Finds the slowest runs of each aggregate: the 20 slowest of every 5 minutes. */
export class Slowest {
  readonly #windows = new Map<string, Window>()
  readonly #now: () => number

  /** @param now A clock in ms. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Adds the duration of a run, and returns whether it is one of the slowest so far. */
  add(aggregate: string, ms: number): boolean {
    const window = this.#windowOf(aggregate)
    window.seen++
    const { longest, seen, before } = window
    const isLong = longest.length < most || ms > (longest[0] as number)
    if (isLong) {
      let at = longest.length === most ? 1 : 0
      for (; at < longest.length && (longest[at] as number) < ms; at++);
      longest.splice(at, 0, ms)
      if (longest.length > most) longest.shift()
    }
    return isLong && (seen > leastKnown || (before !== undefined && ms >= before))
  }

  #windowOf(aggregate: string): Window {
    const now = this.#now()
    const known = this.#windows.get(aggregate)
    if (known !== undefined && now - known.startedAt < windowMs) return known
    // After a pause the durations of the last window are too old.
    const isRecent = known !== undefined && now - known.startedAt < 2 * windowMs && known.seen >= leastKnown
    const window: Window = { startedAt: now, seen: 0, longest: [], before: isRecent ? known.longest[0] : undefined }
    this.#windows.set(aggregate, window)
    return window
  }
}
