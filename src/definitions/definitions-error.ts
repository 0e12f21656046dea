/** One thing wrong with a definitions file. */
export interface DefinitionFault {
  /** As the user would name it, from where the command was started. */
  readonly file: string
  /** Line, or line and column, where they are known: `3:7`. */
  readonly at?: string | undefined
  readonly reason: string
}

/** Definitions that cannot be used; its message has one line a fault. */
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
