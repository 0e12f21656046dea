/** One fault in a definitions file. */
export interface DefinitionFault {
  /** The path as `shownPath` returns it, or `all aggregates` for a fault that belongs to no single file. */
  readonly file: string
  /** The line, or the line and the column, if known: `3:7`. */
  readonly at?: string | undefined
  readonly reason: string
}

/** The error for definitions that cannot be used. Its message has at least one line per fault. */
export class DefinitionsError extends Error {
  override readonly name = 'DefinitionsError'
  readonly faults: readonly DefinitionFault[]

  constructor(faults: readonly DefinitionFault[], options?: ErrorOptions) {
    super(
      faults.map(({ file, at, reason }) => `${file}${at === undefined ? '' : `:${at}`}: ${reason}`).join('\n'),
      options,
    )
    this.faults = faults
  }
}
