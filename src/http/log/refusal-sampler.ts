import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ErrorCode } from '../../errors.ts'
import type { LeveledLog } from './request-outcome.ts'

/** The number of refusals with one code that get their own log line in each interval. */
export const linesPerCode = 10
/** The length of an interval, and the time between two lines that count the remaining refusals, in ms. */
export const countEvery = 10_000

/** A refusal of bytes that were not parsed as a request. There is no reply object for it. */
export interface EarlyRefusal {
  /** The `x-request-id` of the reply. */
  readonly reqId: string
  readonly code: ErrorCode
  readonly statusCode: number
  /** The parser's error code, such as `HPE_INVALID_METHOD`. */
  readonly reason?: string | undefined
  /** The address of the peer of the connection, which may be a proxy. */
  readonly remoteAddress: string | undefined
}

/** Logs an early refusal. */
export type ReportRefusal = (refusal: EarlyRefusal) => void

/**
 * Samples the log lines of refusals, because under load there can be very many of them. In each interval the first
 * refusals of each code are logged, and one line counts the remaining refusals.
 */
export class RefusalSampler {
  readonly #lines = new Map<ErrorCode, number>()

  /** Counts a refusal, and returns whether it gets a line. */
  shouldLog(code: ErrorCode): boolean {
    // A refusal by an aggregate is a normal reply, so it is always logged.
    if (code === 'REFUSED') return true
    const lines = (this.#lines.get(code) ?? 0) + 1
    this.#lines.set(code, lines)
    return lines <= linesPerCode
  }

  /** Returns a function that logs early refusals, sampled with the other refusals. */
  reporter(log: FastifyBaseLogger): ReportRefusal {
    return refusal => this.log(log, refusal.code, () => refusal)
  }

  /** Logs an early refusal, sampled with the other refusals. `refusal` is called only if a line is written. */
  log(log: LeveledLog, code: ErrorCode, refusal: () => EarlyRefusal): void {
    const level = this.shouldLog(code) ? 'info' : 'debug'
    if (log.isLevelEnabled?.(level) !== false) log[level](refusal(), 'request refused')
  }

  /** Ends an interval. Logs the number of refusals without a line, by code. */
  logOmitted(log: FastifyBaseLogger): void {
    const refused: Partial<Record<ErrorCode, number>> = {}
    for (const [code, lines] of this.#lines) if (lines > linesPerCode) refused[code] = lines - linesPerCode
    this.#lines.clear()
    if (Object.keys(refused).length > 0) log.info({ refused, withinMs: countEvery }, 'more requests refused')
  }
}

/** Logs the omitted refusals of each interval until the app closes. */
export function logOmittedRefusals(app: FastifyInstance, refusals: RefusalSampler): void {
  const timer = setInterval(() => refusals.logOmitted(app.log), countEvery).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    refusals.logOmitted(app.log)
    done()
  })
}
