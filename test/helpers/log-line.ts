/** The line of the log of a request whose call failed. */
export interface LoggedFailure {
  readonly level: number
  readonly time: number
  readonly pid: number
  readonly hostname: string
  readonly reqId: string
  readonly trace_id: string
  readonly span_id: string
  readonly trace_flags: string
  readonly req: { readonly method: string; readonly url: string; readonly host: string; readonly remoteAddress: string }
  readonly res: { readonly statusCode: number }
  readonly responseTime: number
  readonly code: string
  readonly detail: string
  readonly why: string
  readonly aggregate: string
  readonly url: string
  readonly step: string
  readonly upstream: string
  readonly operation: string
  readonly sources: Readonly<
    Record<string, { readonly state: string; readonly ms: number; readonly attempts: number; readonly failed?: number }>
  >
  readonly msg: string
}
