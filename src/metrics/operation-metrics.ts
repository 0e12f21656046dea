import * as families from './families.ts'
import { callCodes, statuses, statusIndexOf } from './label-values.ts'
import type { UpstreamLiveCounts } from './live-counts.ts'
import type { Metrics } from './metrics.ts'
import type { SeriesTable } from './series-table.ts'
import { Slots } from './slots.ts'

/** The values of the labels of an operation. */
export interface OperationLabels {
  readonly upstream: string
  /** The name without its upstream. */
  readonly operation: string
  /** The path template. */
  readonly urlTemplate: string
  readonly method: string
  /** The host and the port of the origin of the upstream, after overrides. */
  readonly address: string
  readonly port: string
  /** The number of attempts after which all further attempts are counted as the last one. */
  readonly maxAttempts: number
}

/** The reasons of a wait, by their order in the label. */
const waitReasons = ['permit', 'token', 'retry'] as const
/** The kinds of a retry: with the retry budget, or once after a connection was closed as idle. */
export const retryKinds = ['retry', 'idle_close'] as const
/** The results of a second attempt: its answer is used, another answer is used or the call was aborted, or it failed. */
export const hedgeResults = ['won', 'lost', 'failed'] as const

export type HedgeResult = (typeof hedgeResults)[number]

/**
 * The status of a response whose body was refused. The failures of other bodies are counted without a status, so that
 * the number of series stays small.
 */
const refusedBodyStatus = 200

/** The codes of a response whose body was refused. */
export const refusedBodyCodes: ReadonlySet<string> = new Set([
  'UPSTREAM_RESET',
  'UPSTREAM_PROTOCOL',
  'UPSTREAM_CONTENT_TYPE',
  'UPSTREAM_ENCODING',
  'UPSTREAM_TOO_LARGE',
  'UPSTREAM_JSON',
  'UPSTREAM_SCHEMA',
])

/** The waits of the calls to one upstream. */
export class WaitMetrics {
  readonly #table: SeriesTable
  readonly #slots: Slots

  constructor(metrics: Metrics, upstream: string) {
    this.#table = metrics.table(families.waits)
    this.#slots = new Slots(this.#table, waitReasons, reason => [upstream, reason])
  }

  ended(reason: (typeof waitReasons)[number], ms: number, traceId: string | undefined): void {
    const index = reason === 'permit' ? 0 : reason === 'token' ? 1 : 2
    this.#table.observe(this.#slots.at(index), ms / 1000, traceId)
  }
}

/** Counts the calls of one operation. */
export class OperationMetrics {
  readonly waits: WaitMetrics
  readonly #calls: SeriesTable
  readonly #callsOk: number
  readonly #callsFailed: Slots
  readonly #attempts: SeriesTable
  readonly #resends: Slots
  readonly #lastResend: number
  readonly #duration: SeriesTable
  readonly #answered: Slots
  readonly #failedByStatus: Slots
  readonly #failedBody: Slots
  readonly #failed: Slots
  readonly #retries: SeriesTable
  readonly #retriesOf: Slots
  readonly #hedges: SeriesTable
  readonly #hedgesOf: Slots
  readonly #coalesced: SeriesTable
  readonly #coalescedOf: Slots
  readonly #live: UpstreamLiveCounts | undefined

  constructor(metrics: Metrics, waits: WaitMetrics, labels: OperationLabels) {
    const { upstream, operation, urlTemplate, method, address, port, maxAttempts } = labels
    this.waits = waits
    this.#calls = metrics.table(families.calls)
    this.#callsOk = this.#calls.slot(upstream, operation, 'OK')
    this.#calls.show(this.#callsOk)
    this.#callsFailed = new Slots(this.#calls, callCodes.values, code => [upstream, operation, code])
    this.#attempts = metrics.table(families.attempts)
    this.#resends = new Slots(this.#attempts, resendCounts(maxAttempts), count => [upstream, operation, count])
    this.#lastResend = maxAttempts - 1
    this.#duration = metrics.table(families.clientDuration)
    const target = [upstream, operation, urlTemplate, method, address, port]
    this.#answered = new Slots(this.#duration, statuses, status => [...target, status, ''])
    this.#failedByStatus = new Slots(this.#duration, statuses, status => [...target, status, status])
    this.#failedBody = new Slots(this.#duration, callCodes.values, code => [...target, String(refusedBodyStatus), code])
    this.#failed = new Slots(this.#duration, callCodes.values, code => [...target, '', code])
    this.#retries = metrics.table(families.retries)
    this.#retriesOf = new Slots(this.#retries, retryKinds, kind => [upstream, operation, kind])
    this.#hedges = metrics.table(families.hedges)
    this.#hedgesOf = new Slots(this.#hedges, hedgeResults, result => [upstream, operation, result])
    this.#coalesced = metrics.table(families.coalescedCalls)
    this.#coalescedOf = new Slots(this.#coalesced, [''], () => [upstream, operation])
    this.#live = metrics.live?.upstream(upstream)
  }

  /** Counts the end of a call, with its code if it has failed. */
  callEnded(code: string | undefined): void {
    this.#calls.add(code === undefined ? this.#callsOk : this.#callsFailed.at(callCodes.indexOf(code)), 1)
  }

  /** Counts the start of an attempt. `number` is its number in its call, from 1 on. */
  attemptStarted(number: number): void {
    this.#attempts.add(this.#resends.at(number > this.#lastResend ? this.#lastResend : number - 1), 1)
  }

  /** Observes an attempt that has an answer. */
  attemptAnswered(ms: number, status: number, traceId: string | undefined): void {
    this.#duration.observe(this.#answered.at(statusIndexOf(status)), ms / 1000, traceId)
    this.#live?.latency.add(ms)
  }

  /** Observes an attempt that has failed. `status` is the status of its response, if there was one. */
  attemptFailed(ms: number, code: string, status: number | undefined, traceId: string | undefined): void {
    this.#duration.observe(this.#failureSlot(code, status), ms / 1000, traceId)
    this.#live?.latency.add(ms)
  }

  #failureSlot(code: string, status: number | undefined): number {
    if (status !== undefined && (code === 'UPSTREAM_STATUS' || code === 'UPSTREAM_BUSY'))
      return this.#failedByStatus.at(statusIndexOf(status))
    const slots = status === refusedBodyStatus && refusedBodyCodes.has(code) ? this.#failedBody : this.#failed
    return slots.at(callCodes.indexOf(code))
  }

  /** Counts an attempt that repeats a failed one. `isFree` is true for one without the retry budget. */
  retried(isFree: boolean): void {
    this.#retries.add(this.#retriesOf.at(isFree ? 1 : 0), 1)
  }

  /** Counts a retry or a second attempt that is not sent, if there is a dashboard. */
  resendRefused(): void {
    if (this.#live !== undefined) this.#live.refusedResends++
  }

  /** Counts a second attempt that has ended or is no longer needed. */
  hedged(result: HedgeResult): void {
    this.#hedges.add(this.#hedgesOf.at(hedgeResults.indexOf(result)), 1)
  }

  /** Counts a call that joins an equal call in flight. */
  coalesced(): void {
    this.#coalesced.add(this.#coalescedOf.at(0), 1)
  }
}

/** Returns the values of `http_request_resend_count` of an operation: `0`, `1` and so on. */
function resendCounts(maxAttempts: number): readonly string[] {
  return Array.from({ length: maxAttempts }, (_, count) => String(count))
}
