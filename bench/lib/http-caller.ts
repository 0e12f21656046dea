import { Pool } from 'undici'

/** How one request ended. */
export interface CompletedRequest {
  /** 0 when there was no answer. */
  readonly status: number
  /** When it was due, in ms of `performance.now()`. */
  readonly dueAt: number
  readonly endedAt: number
}

/** Asks a service over as many connections as it takes and notes how each request ends. */
export function httpCaller(port: number, path: string) {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 4096, headersTimeout: 0, bodyTimeout: 0 })
  let ended: CompletedRequest[] = []

  return {
    async send(dueAt: number): Promise<void> {
      let status = 0
      try {
        const { statusCode, body } = await pool.request({ path, method: 'GET' })
        await body.text()
        status = statusCode
      } catch {}
      ended.push({ status, dueAt, endedAt: performance.now() })
    },
    /** Asks, and breaks off after so many ms; how that ends is not noted. */
    async leave(afterMs: number): Promise<void> {
      try {
        const { body } = await pool.request({ path, method: 'GET', signal: AbortSignal.timeout(afterMs) })
        await body.dump()
      } catch {}
    },
    /** What has ended since this was asked last. */
    taken(): readonly CompletedRequest[] {
      const result = ended
      ended = []
      return result
    },
    close: () => pool.destroy(),
  }
}
