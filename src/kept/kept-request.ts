/** The request of a run, as far as it is kept. */
export interface KeptRequest {
  /** The id of the run. @default a random UUID */
  readonly id?: string | undefined
  readonly requestId: string | undefined
  readonly traceId: string | undefined
  readonly method: string
  /** The path and the query of the request. */
  readonly target: string
  /** The form of the stream that the caller reads. @default a plain reply */
  readonly stream?: string | undefined
  /** The id of the run that this run is a part of. @default none */
  readonly parent?: string | undefined
}
