/** One reason why the document of an aggregate cannot be written. */
export interface DocumentFault {
  /** The name of the aggregate; undefined if several aggregates cause the fault together. */
  readonly aggregate: string | undefined
  /** One line per place, which begins with the aggregate. */
  readonly reason: string
}

/** Aggregates that OpenAPI cannot describe. Its message has a line per place. */
export class DocumentError extends TypeError {
  readonly faults: readonly DocumentFault[]

  constructor(faults: readonly DocumentFault[]) {
    super(faults.map(({ reason }) => reason).join('\n'))
    this.faults = faults
  }
}
