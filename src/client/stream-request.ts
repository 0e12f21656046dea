/** The request of a stream. */
export interface StreamRequest {
  /** The method of the request. @default 'GET' */
  readonly method?: string
  /** The headers of the request. `accept` is set by the client. @default no headers */
  readonly headers?: Readonly<Record<string, string>>
  /** The body of the request. A string is sent as JSON, unless `headers` has a `content-type`. @default no body */
  readonly body?: string | Uint8Array<ArrayBuffer> | Blob | FormData | URLSearchParams
  /** Cancels the request when it is aborted; the iteration rejects with the reason of the signal. @default no signal */
  readonly signal?: AbortSignal
  /**
   * The number of times that a request is repeated when it is cut. Set it for another method only if the request may be
   * sent twice.
   * @default 1 for GET and QUERY, 0 for other methods
   */
  readonly retries?: number
  /**
   * The mean time before a request is repeated, in ms. Each time is between a half and one and a half of it.
   * @default 1000
   */
  readonly retryDelay?: number
  /**
   * Sends the request, for example with cookies: `(url, init) => fetch(url, { ...init, credentials: 'include' })`.
   * @default the global fetch
   */
  readonly fetch?: typeof fetch
}
