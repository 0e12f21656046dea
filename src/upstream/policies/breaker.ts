import { UpstreamError } from '../../errors.ts'
import type { LiveCall, Scope } from '../call.ts'
import { verdictOf } from '../verdict.ts'
import { relay, type Answer, type Layer, type Taker } from './layer.ts'
import { Rolling } from './rolling.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerOptions {
  readonly upstream: string
  /** Share of failures that opens it, above 0 and up to 1. */
  readonly failures: number
  /** Calls within the window below which nothing is concluded. */
  readonly minimum: number
  /** How far back it looks, in ms. */
  readonly window: number
  /** How long it stays open before it lets one run through, in ms. */
  readonly open: number
  /** Is told of each change. */
  readonly changed?: (from: BreakerState, to: BreakerState) => void
  /** A clock in ms. @default that of performance.now() */
  readonly now?: () => number
}

export interface BreakerGauge {
  readonly breaker: BreakerState
}

export interface Breaker {
  readonly layer: Layer
  /** Stands below the bulkhead: turns those away that were waiting for their slot when the breaker opened. */
  readonly gate: Layer
  readonly gauge: BreakerGauge
}

/**
 * Stops asking an upstream that fails: after enough failures it is open and refuses at once; after a while one run is let through
 * (half-open), and the end of its first call decides. One run and not one call: a run whose other calls were refused would end at
 * once, and stop the call that tries before it could say anything. Only what says something about the upstream counts: no refusal of
 * ours, no caller who left, no 4xx but 408 and 429. A call that began before the last change ends too late to say anything of the
 * state after it.
 * After Nygard, "Release It!"; the figures are Hystrix's.
 */
export function breaker ({ upstream, failures, minimum, window, open, changed, now = () => performance.now() }: BreakerOptions): Breaker {
  /** First count: calls that say something; second: those that failed. */
  const seen = new Rolling(window, now)
  let state: BreakerState = 'closed'
  let generation = 0
  let openUntil = 0
  /** The run that is let through, known by what its calls share even where they are coalesced; and how many of them are under way. */
  let probing: Scope['admitted'] | undefined
  let probes = 0

  function turn (to: BreakerState): void {
    const from = state
    state = to
    generation++
    probing = undefined
    probes = 0
    seen.clear()
    if (to === 'open') openUntil = now() + open
    changed?.(from, to)
  }

  function succeeded (began: number): void {
    if (began !== generation) return
    if (state === 'half-open') turn('closed')
    else seen.add(1, 0)
  }

  function failed (began: number, error: unknown, call: LiveCall<unknown>): void {
    if (began !== generation) return
    const verdict = verdictOf(error, call.attempt.sent)
    if (state === 'half-open') {
      if (verdict === 'failed') turn('open')
      // It answered, if only to blame the question.
      else if (error instanceof UpstreamError && error.upstreamStatus !== undefined) turn('closed')
      else if (--probes === 0) probing = undefined
    } else if (verdict === 'failed') {
      seen.add(1, 1)
      const { first: calls, second: bad } = seen
      if (calls >= minimum && bad >= failures * calls) turn('open')
    }
  }

  const judge: Judge = { succeeded, failed }
  const refusal = (leftMs: number) => new UpstreamError('BREAKER_OPEN', upstream, { retryAfterMs: Math.max(leftMs, 1) })

  return {
    layer: relay(next => (call, taker) => {
      if (state === 'closed') return next(call, new Passing(call, taker, generation, judge))
      const leftMs = openUntil - now()
      if (leftMs > 0 || (probing !== undefined && probing !== call.scope.admitted)) return taker.lose(refusal(leftMs))
      try {
        if (state === 'open') turn('half-open')
      } catch (bug) {
        // Of whoever is told of changes: it must not keep the call from ending.
        return taker.lose(bug)
      }
      probing = call.scope.admitted
      probes++
      next(call, new Passing(call, taker, generation, judge))
    }),
    gate: relay(next => (call, taker) => {
      if (state === 'closed' || (state === 'half-open' && probing === call.scope.admitted)) next(call, taker)
      else taker.lose(refusal(openUntil - now()))
    }),
    gauge: {
      get breaker () { return state },
    },
  }
}

/** Learns how calls end that began in a state of it. */
interface Judge {
  succeeded (began: number): void
  failed (began: number, error: unknown, call: LiveCall<unknown>): void
}

/** A call that was let through. */
class Passing<T> implements Taker<T> {
  readonly #call: LiveCall<T>
  readonly #taker: Taker<T>
  readonly #began: number
  readonly #judge: Judge

  constructor (call: LiveCall<T>, taker: Taker<T>, began: number, judge: Judge) {
    this.#call = call
    this.#taker = taker
    this.#began = began
    this.#judge = judge
  }

  win (answer: Answer<T>): void {
    try {
      this.#judge.succeeded(this.#began)
    } catch (bug) {
      return this.#taker.lose(bug)
    }
    this.#taker.win(answer)
  }

  lose (error: unknown): void {
    try {
      this.#judge.failed(this.#began, error, this.#call)
    } catch (bug) {
      return this.#taker.lose(bug)
    }
    this.#taker.lose(error)
  }
}
