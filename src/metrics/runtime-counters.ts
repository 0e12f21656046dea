import { AggregateMetrics, type CountedAggregate } from './aggregate-metrics.ts'
import { BatchMetrics } from './batch-metrics.ts'
import { BulkMetrics } from './bulk-metrics.ts'
import { families } from './families.ts'
import { Metrics } from './metrics.ts'
import { RequestMetrics } from './request-metrics.ts'
import { StreamMetrics } from './stream-metrics.ts'

/** The metrics that a runtime counts in, with its objects that count runs and inbound requests. */
export class RuntimeCounters {
  readonly metrics: Metrics
  readonly requests: RequestMetrics
  readonly streams: StreamMetrics
  readonly batches: BatchMetrics
  readonly bulk: BulkMetrics
  /**
   * Returns the calls that wait for a permit, per permit of their upstream: the highest ratio of all upstreams whose
   * calls hold a permit for at most `maxHoldMs` on average.
   */
  permitBacklog: (maxHoldMs: number) => number = () => 0
  /** Returns the limit on one attempt of an upstream that has answered, in ms. An override may have replaced it. */
  attemptTimeoutOf: (upstream: { readonly attemptTimeout: number }) => number = upstream => upstream.attemptTimeout
  readonly #aggregates = new WeakMap<CountedAggregate, AggregateMetrics>()

  constructor(metrics = new Metrics()) {
    this.metrics = metrics
    // The tables are in the order of the documentation.
    for (const family of families) metrics.table(family)
    this.requests = new RequestMetrics(metrics)
    this.streams = new StreamMetrics(metrics)
    this.batches = new BatchMetrics(metrics)
    this.bulk = new BulkMetrics(metrics)
  }

  /** Returns the metrics of an aggregate. */
  aggregate(aggregate: CountedAggregate): AggregateMetrics {
    let counts = this.#aggregates.get(aggregate)
    if (counts === undefined) this.#aggregates.set(aggregate, (counts = new AggregateMetrics(this.metrics, aggregate)))
    return counts
  }
}
