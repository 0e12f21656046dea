/** Metrics as text. */
export interface RenderedMetrics {
  /** The media type of the text, with its version and its charset. */
  readonly contentType: string
  readonly body: string
}

/** A source of metrics: a runtime, or all processes of a service together. */
export interface MetricsSource {
  /**
   * Renders the present values.
   *
   * @param accept - The `accept` header of the request. It selects the format.
   */
  render(accept?: string): Promise<RenderedMetrics>
}
