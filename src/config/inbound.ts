import type { Values } from './environment.ts'

/** The protection of the service from its callers. `buildApp` describes each field. */
export interface Inbound {
  readonly limits: {
    readonly bodyBytes: number
    readonly headerBytes: number
    readonly requestTimeout: number
    readonly replyTimeout: number
    readonly keepAlive: number
  }
  readonly pressure: {
    readonly runs: number
    readonly loopDelay: number
    readonly heapPercent: number
    readonly memoryPercent: number
    readonly bodiesBytes: number
  }
  readonly rateLimit: number
  readonly trustProxy: boolean | readonly string[]
  readonly keys: readonly string[]
  readonly corsOrigins: readonly string[]
  readonly streams: { readonly maxBytes: number; readonly heartbeat: number }
  readonly batch: { readonly maxCalls: number; readonly bodyBytes: number; readonly deadline: number } | false
}

export function inboundOf(data: Values): Inbound {
  return Object.freeze({
    limits: Object.freeze({
      bodyBytes: data.BODY_LIMIT_BYTES,
      headerBytes: data.HEADER_LIMIT_BYTES,
      requestTimeout: data.REQUEST_TIMEOUT_MS,
      replyTimeout: data.REPLY_TIMEOUT_MS,
      keepAlive: data.KEEP_ALIVE_MS,
    }),
    pressure: Object.freeze({
      runs: data.MAX_RUNS,
      loopDelay: data.MAX_LOOP_DELAY_MS,
      heapPercent: data.MAX_HEAP_PERCENT,
      memoryPercent: data.MAX_MEMORY_PERCENT,
      bodiesBytes: data.MAX_BODIES_BYTES,
    }),
    rateLimit: data.RATE_LIMIT,
    trustProxy: data.TRUST_PROXY,
    keys: data.API_KEYS,
    corsOrigins: data.CORS_ORIGINS,
    streams: Object.freeze({ maxBytes: data.STREAM_MAX_BYTES, heartbeat: data.STREAM_HEARTBEAT_MS }),
    batch:
      data.BATCH_MAX_CALLS > 0 &&
      Object.freeze({
        maxCalls: data.BATCH_MAX_CALLS,
        bodyBytes: data.BATCH_BODY_BYTES,
        deadline: data.BATCH_DEADLINE_MS,
      }),
  })
}
