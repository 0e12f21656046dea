import { SlidingWindow } from '../sliding-window.ts'

/**
 * The state of a circuit breaker: `closed` admits every call, `open` refuses every call, and `half-open` admits one run
 * to test the upstream.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Every transition. docs/policies.md has the same table. */
export const transitions: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  closed: ['open'],
  open: ['half-open'],
  'half-open': ['closed', 'open'],
}

export interface CircuitOptions {
  /** Share of failures that opens it, above 0 and up to 1. */
  readonly failureRatio: number
  /** Attempts within the window below which the ratio decides nothing. */
  readonly minimumCalls: number
  /**
   * Failures in a row within the window that open it, whatever the ratio is.
   * @default 20, or `minimumCalls` if that is more
   */
  readonly consecutiveFailures?: number
  /** Length of the window, in ms. */
  readonly window: number
  /** Time that it stays open at first, in ms; twice as long each time after that. */
  readonly openDuration: number
  /** Limit on how long it stays open, in ms. @default 60000 */
  readonly maxOpenDuration?: number
  /** Called on each transition, after the state has changed. */
  readonly onStateChange: (from: BreakerState, to: BreakerState) => void
  /** A clock in ms. @default that of performance.now() */
  readonly now?: () => number
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number
}

/** The part of an open time that is random, so that processes which opened together do not all try at once. */
const jitter = 0.2

/** The ratio of new runs that is admitted after the first success in half-open; it doubles with each stage. */
const firstRatio = 1 / 16

/** A stage of half-open lasts this part of `openDuration`. */
const stagePart = 1 / 10

/**
 * Attempts that half-open needs before the ratio of failures decides; the first attempt alone decides as long as none
 * has succeeded.
 */
const leastTried = 5

/**
 * The state machine of a circuit breaker. It knows nothing of calls: it is given the ends of attempts and asked which
 * runs are admitted.
 *
 * Closed, it opens by a ratio of failures within a window (Hystrix), or by a run of consecutive failures, which good
 * traffic in the window does not delay (Finagle's hybrid failure accrual policy, Envoy's `consecutive_5xx`). The time
 * it stays open doubles up to a limit, with jitter, as Finagle's `equalJitteredBackoff` and Envoy's ejection time do.
 * Half-open, it starts with one run and doubles the ratio of admitted runs in stages, as the slow start of load
 * balancers does.
 */
export class Circuit {
  state: BreakerState = 'closed'
  /**
   * The number of transitions so far. An attempt notes it when it starts; its end counts only if there was no
   * transition since.
   */
  generation = 0
  readonly #options: Required<CircuitOptions>
  /** First count: attempts that say something; second: failures. */
  readonly #window: SlidingWindow
  #failuresInRow = 0
  #rowSince = 0
  /** Number of openings without a healthy window in between. */
  #openings = 0
  #closedAt = -Infinity
  #openUntil = 0
  /** The runs that half-open has admitted, by what all calls of a run share. */
  #admitted = new WeakSet<object>()
  /** Admitted attempts that have not ended. */
  #inFlight = 0
  /** The ratio of new runs that half-open admits; 0 until the first success. */
  #ratio = 0
  #credit = 0
  #stageUntil = 0

  constructor(options: CircuitOptions) {
    this.#options = {
      consecutiveFailures: Math.max(20, options.minimumCalls),
      maxOpenDuration: 60_000,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    }
    this.#window = new SlidingWindow(options.window, this.#options.now)
  }

  /** Time after which a refused caller may ask again, in ms. */
  get retryAfterMs(): number {
    return Math.max(1, Math.max(this.#openUntil, this.#stageUntil) - this.#options.now())
  }

  /**
   * Decides whether an attempt may start while the circuit is not closed; an open circuit becomes half-open when its
   * time is over. A run that was admitted stays admitted: refusing its next call would end it, and with it the attempt
   * that tries.
   */
  tryAcquire(run: object): boolean {
    if (this.state === 'open') {
      if (this.#options.now() < this.#openUntil) return false
      this.#transitionTo('half-open')
    }
    if (!this.#admitted.has(run) && !this.#admitsRun()) return false
    this.#admitted.add(run)
    this.#inFlight++
    return true
  }

  /**
   * While nothing is under way one run is always admitted; beyond that, each run adds the present ratio, and a whole
   * one admits.
   */
  #admitsRun(): boolean {
    if (this.#inFlight === 0) return true
    this.#credit += this.#ratio
    if (this.#credit < 1) return false
    this.#credit--
    return true
  }

  /** An attempt has succeeded that started in the present generation. */
  onSuccess(): void {
    this.#failuresInRow = 0
    this.#window.add(1, 0)
    if (this.state === 'half-open') this.#recover()
  }

  /** An attempt of the present generation has failed in a way that says something about the upstream. */
  onFailure(): void {
    const { failureRatio, minimumCalls, consecutiveFailures, window, now } = this.#options
    this.#window.add(1, 1)
    const at = now()
    if (this.#failuresInRow === 0 || at - this.#rowSince > window) {
      this.#failuresInRow = 0
      this.#rowSince = at
    }
    this.#failuresInRow++
    const { first: attempts, second: failed } = this.#window
    const isHalfOpen = this.state === 'half-open'
    if (isHalfOpen) this.#inFlight--
    const least = isHalfOpen ? Math.min(minimumCalls, this.#ratio === 0 ? 1 : leastTried) : minimumCalls
    if ((attempts >= least && failed >= failureRatio * attempts) || this.#failuresInRow >= consecutiveFailures)
      this.#transitionTo('open')
  }

  /** An attempt of the present generation has ended and says nothing about the upstream. */
  onIgnored(): void {
    if (this.state === 'half-open') this.#inFlight--
  }

  /** Admits a larger ratio, and closes when that is all. */
  #recover(): void {
    this.#inFlight--
    const { openDuration, now } = this.#options
    const at = now()
    if (at < this.#stageUntil) return
    this.#ratio = this.#ratio === 0 ? firstRatio : this.#ratio * 2
    this.#stageUntil = at + openDuration * stagePart
    if (this.#ratio >= 1) this.#transitionTo('closed')
  }

  #transitionTo(to: BreakerState): void {
    const from = this.state
    const { window, now, onStateChange } = this.#options
    const at = now()
    this.state = to
    this.generation++
    this.#window.clear()
    this.#failuresInRow = this.#inFlight = this.#ratio = this.#credit = this.#stageUntil = 0
    if (to === 'half-open') this.#admitted = new WeakSet()
    if (to === 'closed') this.#closedAt = at
    if (to === 'open') {
      if (from === 'closed' && at - this.#closedAt >= window) this.#openings = 0
      this.#openUntil = at + this.#openMs()
      this.#openings++
    }
    onStateChange(from, to)
  }

  #openMs(): number {
    const { openDuration, maxOpenDuration, random } = this.#options
    return Math.min(maxOpenDuration, openDuration * 2 ** this.#openings) * (1 - jitter * random())
  }
}
