import type { Dispatcher } from 'undici'
import { UpstreamError } from '../../errors.ts'
import { Abortable } from '../../core/abort.ts'
import type { LinkedQueue } from '../../core/linked-queue.ts'
import type { LiveCall } from '../call/live-call.ts'
import type { Completion } from '../call/layer.ts'
import { wireError } from '../connect/wire-errors.ts'
import type { Connection, RequestHandler } from './connection.ts'
import { lostWithConnection, outcomeUnknown } from './exchange-errors.ts'
import { enter, Phase } from './exchange-phase.ts'
import type { Pool } from './pool.ts'

type Controller = Dispatcher.DispatchController

/** Passed to undici to end an exchange whose call is settled. No caller receives it. */
const settledEarly = new Error('settled before its end')

/**
 * The request side of an exchange: its position in the queue of the pool and on a connection, and the ways in which it
 * leaves both. `Exchange` adds the response side.
 */
export abstract class PooledRequest<T> extends Abortable implements RequestHandler {
  readonly call: LiveCall<T>
  protected readonly completion: Completion<T>
  readonly #pool: Pick<Pool, 'dispatch'>
  readonly options: Dispatcher.DispatchOptions
  #phase: Phase = Phase.pending
  connection: Connection | undefined
  queue: LinkedQueue<RequestHandler> | undefined
  previousInQueue: RequestHandler | undefined
  nextInQueue: RequestHandler | undefined
  #controller: Controller | undefined
  /** True if the connection has served a request before. */
  protected isReused = false
  /** The final status of the response; 0 until it arrives. */
  status = 0
  #releasePermit: (() => void) | undefined

  constructor(
    call: LiveCall<T>,
    completion: Completion<T>,
    pool: Pick<Pool, 'dispatch'>,
    options: Dispatcher.DispatchOptions,
  ) {
    super()
    this.call = call
    this.completion = completion
    this.#pool = pool
    this.options = options
    call.abort.add(this)
  }

  get phase(): Phase {
    return this.#phase
  }

  protected enter(phase: Phase): void {
    this.#phase = enter(this.#phase, phase)
  }

  get isUnsafe(): boolean {
    return !this.call.spec.safe
  }

  get needsNew(): boolean {
    return this.call.attempt.needsNew
  }

  /** Rejects with the reason at once. After an unsafe call is sent, only a deadline can abort it. */
  onAbort(reason: unknown): void {
    if (this.#phase >= Phase.abandoned) return
    if (this.#phase < Phase.sent || !this.isUnsafe) return this.reject(reason)
    if (reason instanceof UpstreamError && reason.code === 'DEADLINE_EXCEEDED')
      this.reject(outcomeUnknown(this.call, reason))
  }

  rejectIfUnsent(reason: () => unknown): void {
    if (this.#phase !== Phase.pending) return
    // The request was not sent, so its failure is not evidence about the upstream.
    this.call.attempt.sent = false
    this.reject(reason())
  }

  onRequestStart(controller: Controller): void {
    // undici treats an error thrown here as a cancelled request, and keeps the connection.
    if (this.#phase === Phase.abandoned) throw settledEarly
    const { connection } = this
    if (connection?.isStale === true) {
      this.enter(Phase.moving)
      return controller.abort(settledEarly)
    }
    this.#controller = controller
    this.isReused = connection?.requestStarted() === true
    this.enter(Phase.sent)
  }

  closeConnection(): void {
    if (this.#phase < Phase.sent || this.#phase >= Phase.closing || this.#phase === Phase.abandoned) return
    this.enter(Phase.closing)
    this.#controller?.abort(settledEarly)
  }

  connectionLost(isOrderly: boolean): void {
    // undici sends an unsent request on its next socket. The end of an earlier request may already have ended this
    // request.
    if (this.#phase < Phase.sent || this.#phase === Phase.abandoned || this.#phase === Phase.done) return
    const isSettled = this.#phase >= Phase.abandoned
    const controller = this.#controller
    this.release(false)
    this.enter(Phase.done)
    if (!isSettled) this.reject(lostWithConnection(this.call, isOrderly && this.status === 0))
    controller?.abort(settledEarly)
  }

  /** Handles a request that was not written: no connection could be opened, or an idle connection closed. */
  protected onSendFailed(error: Error): void {
    const { connection } = this
    const failure = wireError(error, this.call.spec.upstream.name)
    if (connection?.isConnected === true && failure instanceof UpstreamError && failure.code !== 'RUNTIME_CLOSED') {
      this.enter(Phase.moving)
      return this.redispatch()
    }
    this.release(false)
    this.enter(Phase.done)
    this.reject(failure)
  }

  /** Returns the request to the pool, for another connection. */
  protected redispatch(): void {
    this.release(false)
    this.enter(Phase.pending)
    this.#pool.dispatch(this.options, this)
  }

  reject(error: unknown): void {
    this.settle()
    this.completion.reject(error)
  }

  /** Releases or closes the connection, or leaves it to other requests, before the completion is called. */
  protected settle(): void {
    this.call.abort.delete(this)
    if (this.#phase < Phase.sent) this.#abandonUnsent()
    else if (this.#phase < Phase.decoding) this.#abandonSent()
    else if (this.#phase === Phase.decoding) this.enter(Phase.done)
  }

  /**
   * Removes the request from the queue of the pool at once. A request in undici's queue stays there until the
   * connection has opened or failed.
   */
  #abandonUnsent(): void {
    if (this.queue !== undefined) {
      this.queue.remove(this)
      this.enter(Phase.done)
      return
    }
    this.enter(Phase.abandoned)
    this.#holdPermit()
    if (this.connection?.linger(this) === false) this.connection.closeIfUnwanted()
  }

  /** Closes the connection. If other requests share the connection, it waits until the response has arrived instead. */
  #abandonSent(): void {
    const { connection } = this
    if (connection?.linger(this) === true) {
      this.enter(Phase.lingering)
      return this.#holdPermit()
    }
    this.closeConnection()
    connection?.closeIfUnwanted()
  }

  /** Keeps the permit of the bulkhead until the request has left its connection. */
  #holdPermit(): void {
    this.call.attempt.held = new Promise(resolve => {
      this.#releasePermit = resolve
    })
  }

  /** Detaches the request from its connection. */
  protected release(isSound: boolean): void {
    const { connection } = this
    this.#releasePermit?.()
    if (connection === undefined) return
    this.connection = undefined
    if (this.#controller !== undefined) connection.requestEnded(isSound)
    this.#controller = undefined
    connection.release(this, isSound)
  }
}
