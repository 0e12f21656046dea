import { SlidingWindow } from '../sliding-window.ts'

/**
 * The state of a circuit breaker: `closed` admits every call, `open` refuses every call, and `half-open` admits one run
 * at first, and then a growing share of the runs.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** All transitions. docs/policies.md has the same table. */
export const transitions: Readonly<Record<BreakerState, readonly BreakerState[]>> = {
  closed: ['open'],
  open: ['half-open'],
  'half-open': ['closed', 'open'],
}

export interface CircuitOptions {
  /** The ratio of failures that opens the breaker, above 0 and up to 1. */
  readonly failureRatio: number
  /** The number of attempts within the window from which the ratio can open the breaker. */
  readonly minimumCalls: number
  /**
   * The number of consecutive failures within the window that opens the breaker, independently of the ratio.
   * @default 20, or `minimumCalls` if that is more
   */
  readonly consecutiveFailures?: number
  /** Length of the window, in ms. */
  readonly window: number
  /** The time that the breaker stays open at first, in ms. It doubles with each opening. */
  readonly openDuration: number
  /** The limit on the time that the breaker stays open, in ms. @default 60000 */
  readonly maxOpenDuration?: number
  /** Called on each transition, after the state has changed. */
  readonly onStateChange: (from: BreakerState, to: BreakerState) => void
  /** A clock in ms. @default performance.now() */
  readonly now?: () => number
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number
}

/**
 * The random part of the time that the breaker stays open. Without it, processes that opened together would all test
 * the upstream at the same time.
 */
const jitter = 0.2

/** The ratio of new runs that half-open admits after its first success. It doubles with each stage. */
const firstRatio = 1 / 16

/** The duration of a stage of half-open, as a part of `openDuration`. */
const stagePart = 1 / 10

/**
 * The number of attempts from which the ratio of failures decides in half-open. Before the first success, a single
 * attempt decides.
 */
const leastTried = 5

/**
 * The state machine of a circuit breaker. It does not handle calls. The layer reports the ends of attempts to it and
 * asks it which runs are admitted.
 *
 * Closed: it opens by a ratio of failures within a window (Hystrix), or by consecutive failures. Successes earlier in
 * the window do not delay the second condition (Finagle's hybrid failure accrual policy, Envoy's `consecutive_5xx`).
 *
 * Open: the time that it stays open doubles up to a limit, with jitter (Finagle's `equalJitteredBackoff`, Envoy's
 * ejection time).
 *
 * Half-open: it admits one run, and then doubles the ratio of admitted runs in stages, like the slow start of load
 * balancers.
 */
export class Circuit {
  state: BreakerState = 'closed'
  /**
   * The number of transitions so far. An attempt records it at its start. The end of the attempt counts only if no
   * transition has happened since then.
   */
  generation = 0
  readonly #options: Required<CircuitOptions>
  /** First count: attempts that are evidence about the upstream. Second count: failures. */
  readonly #window: SlidingWindow
  #failuresInRow = 0
  #rowSince = 0
  /** The number of openings since the last healthy window. */
  #openings = 0
  #closedAt = -Infinity
  #openUntil = 0
  /** The runs that half-open has admitted. The key is an object that all calls of a run share. */
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

  /** The time after which a refused caller may try again, in ms. */
  get retryAfterMs(): number {
    return Math.max(1, Math.max(this.#openUntil, this.#stageUntil) - this.#options.now())
  }

  /**
   * Returns whether an attempt may start while the circuit is not closed. An open circuit becomes half-open when its
   * time has passed. An admitted run stays admitted: if its next call were refused, the run would end and abort the
   * attempt that tests the upstream.
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
   * Returns whether a new run is admitted. One run is always admitted while no admitted attempt is in flight. Otherwise
   * each run adds the present ratio to a credit, and a credit of 1 admits a run.
   */
  #admitsRun(): boolean {
    if (this.#inFlight === 0) return true
    this.#credit += this.#ratio
    if (this.#credit < 1) return false
    this.#credit--
    return true
  }

  /** Records the success of an attempt of the present generation. */
  onSuccess(): void {
    this.#failuresInRow = 0
    this.#window.add(1, 0)
    if (this.state === 'half-open') this.#recover()
  }

  /** Records a failure of an attempt of the present generation that is evidence about the upstream. */
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

  /** Records the end of an attempt of the present generation that is not evidence about the upstream. */
  onIgnored(): void {
    if (this.state === 'half-open') this.#inFlight--
  }

  /** Doubles the ratio of admitted runs when a stage has ended. Closes the circuit when the ratio reaches 1. */
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
