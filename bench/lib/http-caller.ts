import { Pool } from 'undici'

/** A completed request. */
export interface CompletedRequest {
  /** The status of the reply, or 0 if there was no reply. */
  readonly status: number
  /** The time for which the request was scheduled, in ms of `performance.now()`. */
  readonly dueAt: number
  readonly endedAt: number
}

/** The request that a caller sends each time. */
export interface CallerRequest {
  readonly path: string
  /** @default 'GET' */
  readonly method?: 'GET' | 'POST'
  /** The JSON body of a POST. */
  readonly body?: string
  /** Opens a connection for each request. @default false */
  readonly closes?: boolean
}

/** Creates a client that sends requests over as many connections as necessary and records the end of each request. */
export function httpCaller(port: number, request: string | CallerRequest) {
  const {
    path,
    method = 'GET',
    body: requestBody,
    closes = false,
  } = typeof request === 'string' ? { path: request } : request
  const options = {
    path,
    method,
    reset: closes,
    ...(requestBody !== undefined && { body: requestBody, headers: { 'content-type': 'application/json' } }),
  }
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 4096, headersTimeout: 0, bodyTimeout: 0 })
  let completed: CompletedRequest[] = []

  return {
    async send(dueAt: number): Promise<void> {
      let status = 0
      try {
        const { statusCode, body } = await pool.request(options)
        await body.text()
        status = statusCode
      } catch {}
      completed.push({ status, dueAt, endedAt: performance.now() })
    },
    /** Sends a request and aborts it after `afterMs`. The request is not recorded. */
    async sendAndAbort(afterMs: number): Promise<void> {
      try {
        const { body } = await pool.request({ ...options, signal: AbortSignal.timeout(afterMs) })
        await body.dump()
      } catch {}
    },
    /** Returns the requests that have ended since the last call. */
    takeCompleted(): readonly CompletedRequest[] {
      const result = completed
      completed = []
      return result
    },
    close: () => pool.destroy(),
  }
}
