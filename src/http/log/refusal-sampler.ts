import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ErrorCode } from '../../errors.ts'

/** The requests refused with one code that get a line of their own in each interval. */
export const linesPerCode = 10
/** Time between two lines that count the others, in ms. */
export const countEvery = 10_000

/** A refusal that no reply belongs to: what came is not a request that can be handled. */
export interface EarlyRefusal {
  /** The id of the answer. */
  readonly reqId: string
  readonly code: ErrorCode
  readonly statusCode: number
  /** The reason by the parser's code, such as `HPE_INVALID_METHOD`. */
  readonly reason?: string | undefined
  /** The address at the other end of the connection, which may be a proxy's. */
  readonly remoteAddress: string | undefined
}

/** Receives early refusals. */
export type ReportRefusal = (refusal: EarlyRefusal) => void

/**
 * Refusals come in floods: the first ones of each code get a line in every interval, and one line counts the others.
 */
export class RefusalSampler {
  readonly #lines = new Map<ErrorCode, number>()

  /** Returns whether a request that was refused with this code gets a line. */
  shouldLog(code: ErrorCode): boolean {
    // An author's refusals are answers like others.
    if (code === 'REFUSED') return true
    const lines = (this.#lines.get(code) ?? 0) + 1
    this.#lines.set(code, lines)
    return lines <= linesPerCode
  }

  /** Returns a function that writes lines of early refusals, sampled like the others. */
  reporter(log: FastifyBaseLogger): ReportRefusal {
    return refusal => {
      log[this.shouldLog(refusal.code) ? 'info' : 'debug'](refusal, 'a request was refused')
    }
  }

  /** Ends an interval. Writes how many requests were refused in it without a line, by code. */
  logOmitted(log: FastifyBaseLogger): void {
    const refused: Partial<Record<ErrorCode, number>> = {}
    for (const [code, lines] of this.#lines) if (lines > linesPerCode) refused[code] = lines - linesPerCode
    this.#lines.clear()
    if (Object.keys(refused).length > 0) log.info({ refused, withinMs: countEvery }, 'more requests were refused')
  }
}

/** Counts refusals for as long as the app runs. */
export function logOmittedRefusals(app: FastifyInstance, refusals: RefusalSampler): void {
  const timer = setInterval(() => refusals.logOmitted(app.log), countEvery).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    refusals.logOmitted(app.log)
    done()
  })
}
