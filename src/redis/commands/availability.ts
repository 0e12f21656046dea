import { ignoreRejection } from '../../core/promises.ts'
import type { Connection } from './connection.ts'
import { unknownEpoch } from './probe.ts'
import { reasonOf, StoreNotPrimary } from './store-errors.ts'

/**
 * The phases of a store.
 *
 * ```text
 *              probe succeeded          listeners have ended       5 s, only after an
 *                                                                  outage or if the epoch is new
 *   unreachable ──────────► recovering ─────────────► settling ─────────────► available
 *        ▲                      │                         │                       │
 *        └──── connection lost, 3 failures in a row, READONLY, a replica, another epoch, suspend()
 * ```
 *
 * `recovering` and `settling`: commands are sent, but the cache is not used. In `recovering`, the listeners write the
 * invalidations of this process that could not be sent. In `settling`, the other processes do the same: they find out
 * at different times that the store is back, or that it has another epoch. A process that starts meanwhile waits too.
 */
type Phase = 'unreachable' | 'recovering' | 'settling' | 'available'

/** The pause before the first probe and the longest pause, in ms. */
const firstPauseMs = 100
const longestPauseMs = 2000

/** A store that was available for this time starts again with the first pause, in ms. */
const steadyMs = 10_000

/** The time between two checks of the epoch of a store in use, in ms. */
const checkMs = 1000

/** The number of failed checks in a row that make the store unreachable. One late reply is a busy event loop. */
const maxFailedChecks = 3

/** Returns the longest time in which a process finds out that a store in use has another epoch, in ms. */
export function epochChangeMs(probePatienceMs: number): number {
  return maxFailedChecks * (checkMs + probePatienceMs)
}

/** A change of the availability of the shared store. */
export interface AvailabilityChange {
  /** False while the shared store is not used. */
  readonly isAvailable: boolean
  /** The reason. @default none */
  readonly reason?: string
}

export interface AvailabilityOptions {
  readonly connection: Connection
  /** Reads the epoch of the server. */
  readonly readEpoch: () => Promise<string>
  /** Returns the time for which processes have used an epoch, in ms. */
  readonly ageOfEpoch: (epoch: string) => Promise<number>
  /** Tests that the server accepts writes. */
  readonly testWrite: () => Promise<void>
  /** Called in the phase `recovering`. A rejection makes the store unreachable. */
  readonly recover: () => Promise<unknown>
  /** The time in `settling`, in ms. */
  readonly settleMs: number
  readonly onReachable: () => void
  readonly onUnreachable: () => void
  /** An error that it throws is ignored. */
  readonly onChange: (change: AvailabilityChange) => void
}

/** Decides if a store is used. While it is unreachable, only the probe sends commands to it. */
export class Availability {
  readonly #options: AvailabilityOptions
  #phase: Phase = 'unreachable'
  #epoch: string | undefined
  #wasOut = false
  #pauseMs = firstPauseMs
  #availableAt = 0
  /** The failed checks in a row. */
  #failedChecks = 0
  /** The timer of the next probe, of the end of `settling`, or of the next check of the epoch. */
  #timer: NodeJS.Timeout | undefined
  /** The number of the last attempt to use the store. Each end of a phase begins the next one. */
  #attempt = 0
  #reported: boolean | undefined
  #isClosed = false

  constructor(options: AvailabilityOptions) {
    this.#options = options
    options.connection.watch({
      onReady: () => {
        // It may be another server than before.
        if (this.#phase !== 'unreachable') this.#interrupt('the connection was replaced')
        void this.#try()
      },
      onLost: error => this.#end(reasonOf(error)),
    })
    void this.#try()
  }

  get isReachable(): boolean {
    return this.#phase !== 'unreachable' && this.#options.connection.isReady
  }

  get isAvailable(): boolean {
    return this.#phase === 'available' && this.#options.connection.isReady
  }

  get epoch(): string | undefined {
    return this.#epoch
  }

  /** Makes the store unreachable until a probe succeeds. */
  suspend(reason: string): void {
    if (this.#phase !== 'unreachable') this.#end(reason)
  }

  close(): void {
    this.#isClosed = true
    this.#leave('')
  }

  async #try(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    if (!this.#options.connection.isReady) return this.#waitForConnection()
    const attempt = ++this.#attempt
    try {
      const epoch = await this.#options.readEpoch()
      if (attempt !== this.#attempt) return
      await this.#options.testWrite()
      if (attempt !== this.#attempt) return
      this.#recover(epoch)
      await this.#options.recover()
      if (attempt !== this.#attempt) return
      const settleMs = await this.#settleMs(epoch)
      if (attempt === this.#attempt) this.#settle(settleMs)
    } catch (error) {
      if (attempt === this.#attempt) this.#end(reasonOf(error))
    }
  }

  /** A client that is never connected emits no event. */
  #waitForConnection(): void {
    if (this.#reported === undefined && this.#pauseMs === longestPauseMs)
      this.#report({ isAvailable: false, reason: 'the client is not connected' })
    this.#tryLater()
  }

  #recover(epoch: string): void {
    this.#phase = 'recovering'
    this.#epoch = epoch
    this.#options.onReachable()
  }

  async #settleMs(epoch: string): Promise<number> {
    const { settleMs, ageOfEpoch } = this.#options
    return this.#wasOut || settleMs === 0 ? settleMs : settleMs - (await ageOfEpoch(epoch))
  }

  #settle(ms: number): void {
    this.#phase = 'settling'
    if (ms <= 0) return this.#use()
    this.#timer = setTimeout(() => this.#use(), ms)
    this.#timer.unref()
  }

  #use(): void {
    this.#phase = 'available'
    this.#wasOut = false
    this.#availableAt = performance.now()
    this.#failedChecks = 0
    this.#checkLater()
    const hasEpoch = this.#epoch !== unknownEpoch
    this.#report({ isAvailable: true, ...(!hasEpoch && { reason: 'without INFO, entries outlive a failover' }) })
  }

  /** A server can begin a new epoch without the loss of a connection, for example when it becomes a replica. */
  #checkLater(): void {
    this.#timer = setTimeout(() => void this.#check(), checkMs)
    this.#timer.unref()
  }

  async #check(): Promise<void> {
    const attempt = this.#attempt
    try {
      const epoch = await this.#options.readEpoch()
      if (attempt !== this.#attempt) return
      this.#failedChecks = 0
      if (epoch === this.#epoch) return this.#checkLater()
      this.#interrupt('the server has another replication id')
      void this.#try()
    } catch (error) {
      if (attempt !== this.#attempt) return
      if (error instanceof StoreNotPrimary || ++this.#failedChecks >= maxFailedChecks) this.#end(reasonOf(error))
      else this.#checkLater()
    }
  }

  /** Ends the present phase and probes later. */
  #end(reason: string): void {
    this.#interrupt(reason)
    this.#tryLater()
  }

  /** Ends the present phase. The next one includes `settling`, because other processes may not have noticed yet. */
  #interrupt(reason: string): void {
    this.#wasOut = true
    this.#leave(reason)
  }

  #leave(reason: string): void {
    clearTimeout(this.#timer)
    if (this.#phase === 'available' && performance.now() - this.#availableAt >= steadyMs) this.#pauseMs = firstPauseMs
    const wasReachable = this.#phase !== 'unreachable'
    this.#attempt++
    this.#phase = 'unreachable'
    this.#epoch = undefined
    if (wasReachable) this.#options.onUnreachable()
    if (!this.#isClosed && reason !== '') this.#report({ isAvailable: false, reason })
  }

  #tryLater(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#try(), this.#pauseMs)
    this.#timer.unref()
    this.#pauseMs = Math.min(longestPauseMs, 2 * this.#pauseMs)
  }

  #report(change: AvailabilityChange): void {
    if (this.#reported === change.isAvailable) return
    this.#reported = change.isAvailable
    try {
      ignoreRejection(this.#options.onChange(change))
    } catch {
      // It is called by timers and by events of the client, which must not fail.
    }
  }
}
