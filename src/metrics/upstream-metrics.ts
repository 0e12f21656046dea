import * as families from './families.ts'
import type { Metrics } from './metrics.ts'
import { OperationMetrics, WaitMetrics } from './operation-metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { breakerStates, UpstreamReader, type UpstreamReadings } from './upstream-readings.ts'

/** The part of the declaration of an operation that its labels need. */
export interface CountedOperation {
  /** The name with its upstream: `catfact-ninja.fact`. */
  readonly name: string
  readonly method: string
  readonly template: { readonly path: string }
}

/** The part of the declaration of an upstream on which its metrics depend. */
export interface CountedUpstream {
  readonly name: string
  readonly retry: { readonly maxAttempts: number } | false
  readonly hedge: object | false
  readonly breaker: object | false
}

/** Counts the calls to one upstream, and reads the state of its layers. */
export class UpstreamMetrics {
  readonly #metrics: Metrics
  readonly #upstream: CountedUpstream
  readonly #origin: URL
  readonly #waits: WaitMetrics
  /** By the name of the operation: a reload can replace the declaration by an equal one. */
  readonly #operations = new Map<string, OperationMetrics>()
  readonly #transitions: SeriesTable
  readonly #transitionSlots: Readonly<Record<string, number>>

  constructor(metrics: Metrics, upstream: CountedUpstream, origin: URL) {
    this.#metrics = metrics
    this.#upstream = upstream
    this.#origin = origin
    this.#waits = new WaitMetrics(metrics, upstream.name)
    this.#transitions = metrics.table(families.breakerTransitions)
    const slots: Record<string, number> = {}
    if (upstream.breaker !== false) {
      for (const to of breakerStates) slots[to] = this.#transitions.slot(upstream.name, to)
      this.#transitions.show(slots['open'] as number)
    }
    this.#transitionSlots = slots
  }

  /** Returns the metrics of an operation. */
  of(operation: CountedOperation): OperationMetrics {
    let counts = this.#operations.get(operation.name)
    if (counts === undefined) this.#operations.set(operation.name, (counts = this.#create(operation)))
    return counts
  }

  #create({ name, method, template }: CountedOperation): OperationMetrics {
    const { hostname, port, protocol } = this.#origin
    return new OperationMetrics(this.#metrics, this.#waits, {
      upstream: this.#upstream.name,
      operation: name.slice(this.#upstream.name.length + 1),
      urlTemplate: template.path,
      method,
      address: hostname,
      port: port === '' ? (protocol === 'https:' ? '443' : '80') : port,
      maxAttempts: maxAttemptsOf(this.#upstream),
    })
  }

  /**
   * Counts a transition of the circuit breaker.
   *
   * @param isCurrent - False for the breaker of earlier definitions, whose state the dashboard does not show.
   */
  breakerChanged(from: (typeof breakerStates)[number], to: (typeof breakerStates)[number], isCurrent: boolean): void {
    this.#transitions.add(this.#transitionSlots[to] as number, 1)
    if (isCurrent) this.#metrics.live?.onBreakerChange(this.#upstream.name, from, to)
  }

  /**
   * Reads the state of the upstream each time that the metrics are collected.
   *
   * @returns A function that ends this. The counters keep their last values.
   */
  read(readingsOf: () => UpstreamReadings): () => void {
    const reader = new UpstreamReader(this.#metrics, this.#upstream.name, readingsOf)
    const end = this.#metrics.onCollect(reader)
    return () => {
      end()
      reader.retire()
    }
  }
}

/**
 * Returns the number of attempts of a call that are counted separately: the attempts of the retry policy, one after an
 * idle close, and twice as many with hedging.
 */
export function maxAttemptsOf({ retry, hedge }: Pick<CountedUpstream, 'retry' | 'hedge'>): number {
  return (retry === false ? 1 : retry.maxAttempts + 1) * (hedge === false ? 1 : 2)
}
