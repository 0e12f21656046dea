import { addBuildInfo, readHeapLimit } from './readings.ts'
import { RuntimeCounters } from './runtime-counters.ts'
import { createMetricsSource, type MetricsSource, type RenderedMetrics } from './source.ts'

/** The counters of runtimes that do not count, such as one that a test has made. No metrics contain them. */
const uncounted = new RuntimeCounters()

/** The metrics of one runtime, with the default metrics of the process. */
export class RuntimeMetrics implements MetricsSource {
  readonly #counters: RuntimeCounters
  readonly #source: MetricsSource

  constructor(counters: RuntimeCounters) {
    const { metrics } = counters
    addBuildInfo(metrics)
    readHeapLimit(metrics)
    this.#counters = counters
    this.#source = createMetricsSource(async () => {
      const { collectProcessMetrics } = await import('./process-metrics.ts')
      const ofProcess = await collectProcessMetrics()
      return [...(await metrics.collectInPieces()), ...ofProcess]
    })
  }

  /** Returns the counters behind the metrics of a runtime. */
  static countersOf({ metrics }: { readonly metrics?: MetricsSource }): RuntimeCounters {
    return metrics !== undefined && #counters in metrics ? metrics.#counters : uncounted
  }

  render(accept?: string): Promise<RenderedMetrics> {
    return this.#source.render(accept)
  }
}
