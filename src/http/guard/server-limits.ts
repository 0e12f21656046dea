import type { ServerOptions } from 'node:http'
import { BoundedResponse } from '../connection/bounded-response.ts'

/** What one request and its connection may take; times in ms. */
export interface Limits {
  /** Bytes of a request's body. @default 1 MiB */
  readonly bodyBytes: number
  /** Bytes of a request's head, its URL included. @default 16 KiB */
  readonly headerBytes: number
  /** By when a whole request must have come, its body included. Its head has ten seconds of that. @default 30_000 */
  readonly requestTimeout: number
  /** By when a caller must have taken what was written to it. @default 30_000 */
  readonly replyTimeout: number
  /** How long a connection without a request stays open. @default 72_000 */
  readonly keepAlive: number
}

/** What holds where nothing is said. */
export const defaultLimits: Limits = Object.freeze({
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  requestTimeout: 30_000,
  replyTimeout: 30_000,
  keepAlive: 72_000,
})

/** Slow heads are found by looking, once in so many ms. */
const checkEvery = 1000

/** How a server of ours is made: it closes what comes too slowly, and leaves a missing `Host` to us. */
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
