import type { BreakerChange } from '../../dashboard/protocol.ts'
import type { ProcessSample } from '../../overview/process-sample.ts'
import { RunRows } from '../../overview/run-rows.ts'
import { Ticks } from '../../overview/ticks.ts'
import type { RunRow } from '../../waterfall/kept-run.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** The parts of a worker that a dashboard shows. */
export interface WatchedWorker {
  /** Returns what was counted since the sample before. */
  readonly take: () => ProcessSample
  /**
   * Calls a function for each run that is kept from now on.
   *
   * @returns Ends the calls.
   */
  readonly onKept: (kept: (row: RunRow) => void) => () => void
}

/** The samples of a worker for the dashboard. It sends nothing until the primary watches. */
export class OverviewChannel {
  /** The parts that are sent. Set it before the worker listens. @default nothing is sent */
  watched: WatchedWorker | undefined
  readonly #send: (message: FromWorker) => Promise<void>
  readonly #ticks = new Ticks(() => this.#tick())
  readonly #rows = new RunRows()
  /** Ends the collection of rows. Without an open dashboard no rows are collected. */
  #endRows: (() => void) | undefined
  /** True until the last sample is written. */
  #isSending = false

  /** @param send Sends a message to the primary; resolves when it is written, or cannot be written. */
  constructor(send: (message: FromWorker) => Promise<void>) {
    this.#send = send
  }

  /** Sends samples from now on, as the primary asks for them. */
  handle({ every, rows }: Extract<ToWorker, { readonly kind: 'watch' }>): void {
    if (this.watched === undefined) return
    this.#ticks.every = every
    if (rows) this.#endRows ??= this.watched.onKept(row => this.#rows.add(row))
    else this.#dropRows()
  }

  /** Sends a change of a circuit breaker, if the primary watches. */
  breakerChanged(change: BreakerChange): void {
    if (this.#ticks.every !== undefined) void this.#send({ kind: 'breaker', change })
  }

  /** Sends what was counted since the last sample, and no more. Call it before the worker exits. */
  end(): void {
    if (this.#ticks.every !== undefined) void this.#sendSample()
    this.close()
  }

  /** Stops. Call it when the channel to the primary has closed. */
  close(): void {
    this.#ticks.every = undefined
    this.#dropRows()
  }

  #tick(): void {
    // While the primary does not read, the samples would stay in the memory of this process.
    if (this.#isSending) return
    this.#isSending = true
    void this.#sendSample().finally(() => (this.#isSending = false))
  }

  async #sendSample(): Promise<void> {
    if (this.watched === undefined) return
    const sent = [this.#send({ kind: 'sample', sample: this.watched.take() })]
    const kept = this.#rows.take()
    if (kept !== undefined) sent.push(this.#send({ kind: 'kept', rows: kept.rows, more: kept.more }))
    await Promise.all(sent)
  }

  #dropRows(): void {
    this.#endRows?.()
    this.#endRows = undefined
    this.#rows.take()
  }
}
