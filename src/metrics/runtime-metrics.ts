import type { Metrics } from './metrics.ts'
import { addBuildInfo, readHeapLimit } from './readings.ts'
import { RuntimeCounters } from './runtime-counters.ts'
import { createMetricsSource, type MetricsSource, type RenderedMetrics } from './source.ts'

/** The counters of runtimes that do not count, such as one that a test has made. No metrics contain them. */
const uncounted = new RuntimeCounters()

/**
 * Creates the source of the metrics of a process. There is one per `Metrics`, because its renderings must not overlap.
 */
export function processSource(metrics: Metrics): MetricsSource {
  addBuildInfo(metrics)
  readHeapLimit(metrics)
  return createMetricsSource(async () => {
    const { collectProcessMetrics } = await import('./process-metrics.ts')
    const ofProcess = await collectProcessMetrics()
    return [...(await metrics.collectInPieces()), ...ofProcess]
  })
}

/** The metrics that a runtime counts in, with the default metrics of the process. */
export class RuntimeMetrics implements MetricsSource {
  readonly #counters: RuntimeCounters
  readonly #source: MetricsSource

  /** @param source Renders the metrics of the counters. Runtimes that share their metrics share it. */
  constructor(counters: RuntimeCounters, source = processSource(counters.metrics)) {
    this.#counters = counters
    this.#source = source
  }

  /** Returns the counters behind the metrics of a runtime. */
  static countersOf({ metrics }: { readonly metrics?: MetricsSource }): RuntimeCounters {
    return metrics !== undefined && #counters in metrics ? metrics.#counters : uncounted
  }

  render(accept?: string): Promise<RenderedMetrics> {
    return this.#source.render(accept)
  }
}
