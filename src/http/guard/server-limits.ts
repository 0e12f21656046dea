import type { ServerOptions } from 'node:http'
import { BoundedResponse } from '../connection/bounded-response.ts'

/** Limits of one request and its connection; times in ms. */
export interface Limits {
  /** Bytes of a request's body. @default 1 MiB */
  readonly bodyBytes: number
  /** Bytes of a request's head, including its URL. @default 16 KiB */
  readonly headerBytes: number
  /** Time to receive a whole request with its body, at most 10 s of it for the head. @default 30_000 */
  readonly requestTimeout: number
  /** Time for a caller to read bytes that were written to it. @default 30_000 */
  readonly replyTimeout: number
  /** Time that a connection without a request stays open. @default 72_000 */
  readonly keepAlive: number
}

export const defaultLimits: Limits = Object.freeze({
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  requestTimeout: 30_000,
  replyTimeout: 30_000,
  keepAlive: 72_000,
})

/** Time between two checks for slow requests, in ms. */
const checkEvery = 1000

/** Returns the options of Node's server. It closes slow requests; `host-header.ts` checks the `Host` header. */
export function serverOptions({ headerBytes, requestTimeout, keepAlive }: Limits) {
  return {
    requireHostHeader: false,
    maxHeaderSize: headerBytes,
    requestTimeout,
    headersTimeout: Math.min(requestTimeout, 10_000),
    connectionsCheckingInterval: Math.min(requestTimeout, checkEvery),
    keepAliveTimeout: keepAlive,
    ServerResponse: BoundedResponse,
  } satisfies ServerOptions
}
