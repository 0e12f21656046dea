import { contentTypes, negotiateFormat, type MetricsFormat } from './format.ts'
import { renderTables } from './render.ts'
import type { Series } from './series.ts'

/** Metrics as text. */
export interface RenderedMetrics {
  /** The value of the `content-type` header. */
  readonly contentType: string
  /** The text of the response. */
  readonly body: string
}

/** Something whose metrics can be rendered: a runtime, a service of several processes, or one worker of such a service. */
export interface MetricsSource {
  /**
   * Renders the metrics.
   *
   * @param accept The `accept` header of the request, which decides the format. @default the text format of Prometheus
   * @returns The text and its media type.
   * @throws `Error` if the metrics cannot be collected.
   */
  render(accept?: string): Promise<RenderedMetrics>
}

/**
 * Creates a source that renders the series of this process.
 *
 * @param collect Returns the families in the order of the text.
 */
export function createMetricsSource(collect: () => Promise<readonly Series[]>): MetricsSource {
  return sharedSource(async format => renderTables(await collect(), format))
}

/**
 * Creates a source whose requests share their work. A request that arrives while its format is rendered gets the same
 * text. Renderings in different formats run one after the other, so collected values do not change during a rendering.
 *
 * @param textOf Collects the metrics and returns their text.
 */
export function sharedSource(textOf: (format: MetricsFormat) => Promise<string>): MetricsSource {
  const running = new Map<MetricsFormat, Promise<RenderedMetrics>>()
  let last: Promise<unknown> = Promise.resolve()
  return {
    render(accept) {
      const format = negotiateFormat(accept)
      const shared = running.get(format)
      if (shared !== undefined) return shared
      const rendering = last
        .then(() => textOf(format))
        .then(body => ({ contentType: contentTypes[format], body }))
        .finally(() => running.delete(format))
      running.set(format, rendering)
      last = rendering.catch(() => {})
      return rendering
    },
  }
}
