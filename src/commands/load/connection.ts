import { Client, type Dispatcher } from 'undici'
import { failureOf, type Failure } from './failure.ts'
import { replyOf, type Reply } from './reply.ts'

/** What is asked, again and again. */
export interface Question {
  readonly url: URL
  readonly method: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
  readonly timeoutMs: number
  /** Believes any certificate. */
  readonly isInsecure: boolean
}

/** How one request ended: with an answer that came whole, or without one. */
export type Ended =
  { readonly status: number; readonly reply: Reply; readonly bytes: number } | { readonly failure: Failure }

/** One connection: it has one request at a time. */
export interface Connection {
  ask(ended: (how: Ended) => void): void
  /** Ends the request under way, if there is one, as not answered. */
  cut(): void
  close(): void
}

/** The envelope's own words are at the end of a reply; more of a body is not kept. */
const keptBytes = 65_536
/** Longer than any run pauses between two requests of a connection: the service decides when it ends. */
const keepAliveMs = 600_000

/** A connection that opens with its first request, and again after it was lost. */
export function connection({ url, method, headers, body, timeoutMs, isInsecure }: Question): Connection {
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
  let cut: ((failure: Failure) => void) | undefined

  /** A connection whose answer is no longer waited for is of no use: it would be taken for the next one's. */
  function replace(): void {
    client.destroy().catch(() => {})
    client = open()
  }

  return {
    ask(ended) {
      const end = (how: Ended) => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        cut = undefined
        ended(how)
      }
      let isOver = false
      cut = failure => {
        replace()
        end({ failure })
      }
      const timer = setTimeout(cut, timeoutMs, 'timed out')
      let status = 0
      let fields: Readonly<Record<string, string | string[] | undefined>> = {}
      let bytes = 0
      let tail: Buffer | undefined
      client.dispatch(request, {
        onRequestStart() {},
        onResponseStart(_controller, statusCode, received) {
          status = statusCode
          fields = received
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length
          tail = (tail === undefined ? chunk : Buffer.concat([tail, chunk])).subarray(-keptBytes)
        },
        onResponseEnd() {
          end({ status, bytes, reply: replyOf(status, fields, tail) })
        },
        // What undici will not send fails before `dispatch` has returned, when whoever asked does not expect it yet.
        onResponseError(_controller, error) {
          setImmediate(end, { failure: failureOf(error) })
        },
      })
    },
    cut() {
      cut?.('cut off at the end')
    },
    close() {
      client.destroy().catch(() => {})
    },
  }
}
