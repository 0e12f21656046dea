import { once } from 'node:events'
import { connect } from 'node:net'
import type { Dispatcher } from 'undici'
import { Client } from '../../core/undici.ts'
import { classifyReply, errorKindOf, type ErrorKind, type RequestOutcome } from './outcome.ts'

/** The request that a load test repeats. */
export interface RequestSpec {
  readonly url: URL
  readonly method: string
  /** Names and values alternate. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
  readonly timeoutMs: number
  /** If true, every TLS certificate is accepted. */
  readonly isInsecure: boolean
}

/** One connection. It carries at most one request at a time. */
export interface Connection {
  send(onEnd: (outcome: RequestOutcome) => void): void
  /** Ends the request in flight, if there is one, with the error `cut off at the end`. */
  abort(): void
  close(): void
}

/** Size of the end of a body that is kept. The `complete` field of the envelope is near the end. */
const tailBytes = 65_536
/** Keep-alive time. It is longer than any pause between requests, so that only the service closes idle connections. */
const keepAliveMs = 600_000

/** Creates a connection. It opens at its first request, and opens again after a loss. */
export function createConnection({ url, method, headers, body, timeoutMs, isInsecure }: RequestSpec): Connection {
  const request = {
    path: url.pathname + url.search,
    method,
    headers: [...headers],
    body: body ?? null,
  } as Dispatcher.DispatchOptions
  const open = () =>
    new Client(url.origin, {
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      connect: { timeout: 0, rejectUnauthorized: !isInsecure },
    })
  let client = open()
  let fail: ((error: ErrorKind) => void) | undefined

  /** Replaces the socket. On the old one, a late reply to an aborted request would be read as the next reply. */
  function reopen(): void {
    client.destroy().catch(() => {})
    client = open()
  }

  return {
    send(onEnd) {
      const end = (outcome: RequestOutcome) => {
        if (hasEnded) return
        hasEnded = true
        clearTimeout(timer)
        fail = undefined
        onEnd(outcome)
      }
      let hasEnded = false
      fail = error => {
        reopen()
        end({ error })
      }
      const timer = setTimeout(fail, timeoutMs, 'timed out')
      let status = 0
      let replyHeaders: Readonly<Record<string, string | string[] | undefined>> = {}
      let bytes = 0
      let tail: Buffer | undefined
      client.dispatch(request, {
        onRequestStart() {},
        onResponseStart(_controller, statusCode, received) {
          status = statusCode
          replyHeaders = received
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length
          tail = (tail === undefined ? chunk : Buffer.concat([tail, chunk])).subarray(-tailBytes)
        },
        onResponseEnd() {
          end({ status, bytes, reply: classifyReply(status, replyHeaders, tail) })
        },
        // undici may reject an invalid request before `dispatch` returns. The outcome must come after `send` returns.
        onResponseError(_controller, error) {
          setImmediate(end, { error: errorKindOf(error) })
        },
      })
    },
    abort() {
      fail?.('cut off at the end')
    },
    close() {
      client.destroy().catch(() => {})
    },
  }
}

/** Opens and closes one connection to a URL, so that a wrong port fails early. Returns the reason of a failure. */
export async function probe({ hostname, port, protocol }: URL, timeoutMs: number): Promise<string | undefined> {
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
    return undefined
  } catch (error) {
    return (error as Error).name === 'AbortError' ? 'timed out' : errorKindOf(error as Error)
  } finally {
    socket.destroy()
  }
}
