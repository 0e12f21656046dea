import { wholeNumber } from '../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'

/**
 * The limits of streams.
 *
 * @example
 * ```ts
 * import type { StreamOptions } from 'headwaters'
 *
 * const streams: StreamOptions = { maxBytes: 262_144, heartbeat: 5000 }
 * ```
 */
export interface StreamOptions {
  /** The bytes of one stream that may wait for its reader, from 4096 to 16777216. @default 65_536 */
  readonly maxBytes?: number
  /**
   * The time in which a reader must read bytes that were written to it, in ms. After that, the stream is cut and its
   * run is cancelled.
   * @default 30_000; in `buildApp` the `replyTimeout` of `limits`
   */
  readonly readTimeout?: number
  /**
   * The time without an event after which a stream of server-sent events gets a comment, in ms, from 1000 to 600000. It
   * keeps proxies from closing the connection.
   * @default 15_000
   */
  readonly heartbeat?: number
}

/** The limits of streams, with their defaults. */
export type StreamLimits = Required<StreamOptions>

const known: OptionKeys<StreamOptions> = { maxBytes: true, readTimeout: true, heartbeat: true }

/**
 * Checks the option `streams` and adds its defaults.
 *
 * @param readTimeout - The default of `readTimeout`, in ms.
 */
export function readStreamOptions(owner: string, options: StreamOptions = {}, readTimeout = 30_000): StreamLimits {
  rejectUnknownOptions(owner, options, known, { group: 'streams' })
  const given = { maxBytes: 65_536, readTimeout, heartbeat: 15_000, ...options }
  return Object.freeze({
    maxBytes: wholeNumber(owner, 'streams.maxBytes', given.maxBytes, { min: 4096, max: 16_777_216, unit: 'bytes' }),
    readTimeout: wholeNumber(owner, 'streams.readTimeout', given.readTimeout, { unit: 'ms' }),
    heartbeat: wholeNumber(owner, 'streams.heartbeat', given.heartbeat, { min: 1000, max: 600_000, unit: 'ms' }),
  })
}
