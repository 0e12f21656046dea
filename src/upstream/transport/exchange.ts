import type { Dispatcher } from 'undici'
import { UpstreamError } from '../../errors.ts'
import { hasMemoryFor, hasRoomFor } from '../../memory/room.ts'
import { Abortable } from '../../core/abort.ts'
import { readBody, readInSteps } from './body.ts'
import { brokenOff } from './truncated.ts'
import type { LiveCall } from '../call/call.ts'
import { isCallersLimit } from '../call/callers-limit.ts'
import { BodyBuffer } from './body-buffer.ts'
import type { Connection, RequestHandler } from './connection.ts'
import { decode } from './decode.ts'
import { enter, Phase } from './exchange-phase.ts'
import { codingOf, isCloseDelimited, classifyResponse, type ResponseHeaders } from './response-headers.ts'
import { runWithinBudget, runSlicedSteps } from '../../core/sliced.ts'
import type { Completion } from '../call/layer.ts'
import type { LinkedQueue } from '../../core/linked-queue.ts'
import type { Pool } from './pool.ts'
import { isComplete, withoutWhiteSpace } from './white-space.ts'
import { wireError } from '../connect/wire-errors.ts'

type Controller = Dispatcher.DispatchController

/** Cap on the body of a refused answer that is read to keep its connection, in bytes. */
const maxDiscardBytes = 16 * 1024

/** Informational answers accepted before the final one. */
const maxInformational = 8

/**
 * Smaller bodies are read at once, in bytes. One of nothing but brackets takes 5 ms for 64 KiB, so one turn reads few
 * of those.
 */
const mediumBytes = 16 * 1024

/**
 * Bodies from this size on are read in a turn of their own, in bytes: parsing and checking one takes a millisecond, or
 * ten.
 */
const largeBytes = 128 * 1024

const noBody = Buffer.alloc(0)

/** The reason for which undici ends an exchange that was decided before its end; it reaches no caller. */
const settledEarly = new Error('settled before its end')

/** The cause of `UPSTREAM_RESET` where a reset came in place of the FIN that ends a body. */
const resetError = Object.assign(new Error('the connection was reset before the end of the body'), {
  code: 'ECONNRESET',
})

/**
 * One HTTP exchange, as a machine of phases: takes undici's callbacks, judges the headers, collects the body under its
 * cap and settles once.
 */
export class Exchange<T> extends Abortable implements RequestHandler {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #pool: Pick<Pool, 'dispatch'>
  readonly options: Dispatcher.DispatchOptions
  #phase: Phase = Phase.pending
  connection: Connection | undefined
  queue: LinkedQueue<RequestHandler> | undefined
  previousInQueue: RequestHandler | undefined
  nextInQueue: RequestHandler | undefined
  #controller: Controller | undefined
  /** Whether the connection has served before. */
  #isReused = false
  #informational = 0
  #status = 0
  #headers: ResponseHeaders = {}
  /** The outcome that the headers decided; `null` when they mean "there is none". Set while discarding. */
  #decidedError: UpstreamError | null = null
  #firstChunk: Buffer | undefined
  #bodyBuffer: BodyBuffer | undefined
  #bytes = 0
  #releasePermit: (() => void) | undefined

  constructor(
    call: LiveCall<T>,
    taker: Completion<T>,
    pool: Pick<Pool, 'dispatch'>,
    options: Dispatcher.DispatchOptions,
  ) {
    super()
    this.#call = call
    this.#completion = taker
    this.#pool = pool
    this.options = options
    call.abort.add(this)
  }

  get phase(): Phase {
    return this.#phase
  }

  get isUnsafe(): boolean {
    return !this.#call.spec.safe
  }

  get needsNew(): boolean {
    return this.#call.attempt.needsNew
  }

  /** Settles with the reason at once; an unsafe call that was sent is stopped by a deadline only. */
  onAbort(reason: unknown): void {
    if (this.#phase >= Phase.abandoned) return
    if (this.#phase < Phase.sent || !this.isUnsafe) return this.#reject(reason)
    if (!(reason instanceof UpstreamError && reason.code === 'DEADLINE_EXCEEDED')) return
    this.#reject(
      new UpstreamError('OUTCOME_UNKNOWN', this.#call.spec.upstream.name, { cause: reason, verdict: reason.verdict }),
    )
  }

  rejectIfUnsent(reason: () => unknown): void {
    if (this.#phase !== Phase.pending) return
    // It has not left, so it says nothing about the upstream.
    this.#call.attempt.sent = false
    this.#reject(reason())
  }

  onRequestStart(controller: Controller): void {
    // undici takes what is thrown here as a cancelled request, and keeps the connection.
    if (this.#phase === Phase.abandoned) throw settledEarly
    const { connection } = this
    if (connection?.isStale === true) {
      this.#enter(Phase.moving)
      return controller.abort(settledEarly)
    }
    this.#controller = controller
    this.#isReused = connection?.requestStarted() === true
    this.#enter(Phase.sent)
  }

  closeConnection(): void {
    if (this.#phase < Phase.sent || this.#phase >= Phase.closing || this.#phase === Phase.abandoned) return
    this.#enter(Phase.closing)
    this.#controller?.abort(settledEarly)
  }

  connectionLost(isOrderly: boolean): void {
    // A request that was not sent goes with the next connection. The end of a request before may have ended this one.
    if (this.#phase < Phase.sent || this.#phase === Phase.abandoned || this.#phase === Phase.done) return
    const isSettled = this.#phase >= Phase.abandoned
    const isIdleClose = isOrderly && this.#status === 0 && !this.#call.effort.hadFreeRetry
    const controller = this.#controller
    this.#release(false)
    this.#enter(Phase.done)
    // One lost connection is one failure, which the first request on it reports. A request behind the last answer was
    // not processed (RFC 9112, section 9.6).
    if (!isSettled)
      this.#reject(
        new UpstreamError('UPSTREAM_RESET', this.#call.spec.upstream.name, { verdict: 'ignored', isIdleClose }),
      )
    controller?.abort(settledEarly)
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    const phase = this.#phase
    if (phase === Phase.pending) return this.#onSendFailed(error)
    if (phase === Phase.moving) return this.#redispatch()
    // undici has closed the connection.
    if (isComplete(error, this.#headers, this.#bytes)) return this.#onComplete(false)
    if (phase < Phase.decoding) return this.#onBroken(error)
    if (phase === Phase.abandoned || phase === Phase.lingering || phase === Phase.closing) {
      this.#release(phase === Phase.abandoned)
      this.#enter(Phase.done)
    }
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    if (this.#phase !== Phase.sent) return
    const { spec, isConditional } = this.#call
    if (status < 200) {
      if (++this.#informational > maxInformational)
        this.#reject(
          new UpstreamError('UPSTREAM_PROTOCOL', spec.upstream.name, {
            detail: 'it sends informational answers without end',
          }),
        )
      return
    }
    const head = withoutWhiteSpace(headers)
    this.#status = status
    this.#headers = head
    this.connection?.headersReceived(head)
    const judgement =
      status === 304 && isConditional
        ? 'absent'
        : classifyResponse(spec, status, head, status === 429 && isCallersLimit(this.#call))
    this.#enter(judgement === 'read' ? Phase.reading : Phase.discarding)
    if (judgement === 'read') return
    this.#decidedError = judgement === 'absent' ? null : judgement
    // A body that ends with its connection is not worth reading: it keeps none.
    if (Number(head['content-length'] ?? 0) > maxDiscardBytes || isCloseDelimited(spec.method, status, head))
      this.#settleDecided()
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    const { name, maxResponseBytes } = this.#call.spec.upstream
    this.#bytes += chunk.length
    this.connection?.wireLimit.countBody(chunk.length)
    if (this.#phase === Phase.discarding) {
      if (this.#bytes > maxDiscardBytes) this.#settleDecided()
    } else if (this.#phase === Phase.lingering) {
      // Caps how much of an abandoned answer is read.
      if (this.#bytes > 2 * maxResponseBytes) this.closeConnection()
    } else if (this.#phase === Phase.reading) {
      this.#collect(chunk, name, maxResponseBytes)
    }
  }

  #collect(chunk: Buffer, name: string, maxBytes: number): void {
    if (this.#bytes > maxBytes) {
      this.#reject(
        new UpstreamError('UPSTREAM_TOO_LARGE', name, {
          upstreamStatus: this.#status,
          detail: `the limit is ${maxBytes} bytes`,
        }),
      )
    } else if (this.#firstChunk === undefined) {
      this.#firstChunk = chunk
    } else if (this.#call.spec.safe && !hasMemoryFor(chunk.length)) {
      this.#shed('the process has no memory for its answer')
    } else {
      this.#bodyBuffer ??= new BodyBuffer(this.#firstChunk, Number(this.#headers['content-length'] ?? 0))
      this.#bodyBuffer.add(chunk)
    }
  }

  onResponseEnd(): void {
    // undici takes the reset of a connection for the end of a body that only a FIN may end (RFC 9112, section 8).
    if (
      this.#phase === Phase.reading &&
      this.connection?.isBroken === true &&
      isCloseDelimited(this.#call.spec.method, this.#status, this.#headers)
    )
      this.#onBroken(resetError)
    else this.#onComplete(true)
  }

  #onComplete(isSound: boolean): void {
    this.#release(isSound)
    if (this.#phase === Phase.reading) {
      this.#enter(Phase.decoding)
      this.#decode()
    } else if (this.#phase !== Phase.done) {
      const isDecided = this.#phase === Phase.discarding
      this.#enter(Phase.done)
      if (isDecided) this.#settleDecided()
    }
  }

  #decode(): void {
    const body = this.#bodyBuffer?.toBuffer() ?? this.#firstChunk ?? noBody
    const coding = codingOf(this.#headers)
    if (coding === undefined || body.length === 0) return this.#take(body)
    decode(this.#call.spec, this.#status, coding, body, (error, decoded) => {
      if (this.#phase !== Phase.decoding) return
      if (error === null) this.#take(decoded)
      else this.#reject(error)
    })
  }

  #take(body: Buffer): void {
    if (body.length < mediumBytes) this.#read(body)
    else if (body.length < largeBytes)
      runWithinBudget(() => {
        if (this.#phase === Phase.decoding) this.#read(body)
      })
    else this.#readInSlices(body)
  }

  #readInSlices(body: Buffer): void {
    let steps: Generator<undefined, unknown> | undefined
    runSlicedSteps(() => {
      if (this.#phase !== Phase.decoding) return false
      if (steps === undefined) {
        if (this.#isShed(body)) return false
        steps = readInSteps(this.#call.spec, this.#status, this.#headers, body)
      }
      let step: IteratorResult<undefined, unknown>
      try {
        step = steps.next()
      } catch (error) {
        this.#reject(error)
        return false
      }
      if (step.done === true) this.#resolve(step.value, body)
      return step.done !== true
    })
  }

  #read(body: Buffer): void {
    if (this.#isShed(body)) return
    let value: unknown
    try {
      value = readBody(this.#call.spec, this.#status, this.#headers, body)
    } catch (error) {
      return this.#reject(error)
    }
    this.#resolve(value, body)
  }

  /**
   * Fails the call where the heap has no room for its answer. An unsafe call has taken effect, so its answer is read in
   * any case.
   */
  #isShed(body: Buffer): boolean {
    if (!this.isUnsafe && !hasRoomFor(body.length)) {
      this.#shed(`the heap has no room for its answer of ${body.length} bytes`)
      return true
    }
    return false
  }

  #shed(detail: string): void {
    this.#reject(new UpstreamError('SHED', this.#call.spec.upstream.name, { upstreamStatus: this.#status, detail }))
  }

  /**
   * The request was not written: no connection could be opened, or bytes, the end or an error on an idle one have
   * closed it.
   */
  #onSendFailed(error: Error): void {
    const { connection } = this
    const failure = wireError(error, this.#call.spec.upstream.name)
    if (connection?.isConnected === true && failure instanceof UpstreamError && failure.code !== 'RUNTIME_CLOSED') {
      this.#enter(Phase.moving)
      return this.#redispatch()
    }
    this.#release(false)
    this.#enter(Phase.done)
    this.#reject(failure)
  }

  /** Goes back to the pool, for another connection. */
  #redispatch(): void {
    this.#release(false)
    this.#enter(Phase.pending)
    this.#pool.dispatch(this.options, this)
  }

  /** The connection was lost after the request was written. */
  #onBroken(error: Error): void {
    const { connection } = this
    const isDecided = this.#phase === Phase.discarding
    this.#release(false)
    this.#enter(Phase.done)
    if (isDecided) return this.#settleDecided()
    const failure = brokenOff(this.#call, error, this.#isReused, this.#status === 0 && this.#informational === 0)
    if (failure instanceof UpstreamError && failure.isIdleClose) connection?.recordIdleClose()
    this.#reject(failure)
  }

  /** Settles an answer that its headers decided. */
  #settleDecided(): void {
    if (this.#decidedError === null) this.#resolve(null, noBody)
    else this.#reject(this.#decidedError)
  }

  #resolve(value: unknown, body: Buffer): void {
    this.#settle()
    const answer = { value: value as T, status: this.#status }
    this.#completion.resolve(
      this.#call.spec.cache === undefined ? answer : { ...answer, received: { head: this.#headers, body, value } },
    )
  }

  #reject(error: unknown): void {
    this.#settle()
    this.#completion.reject(error)
  }

  /** Frees the connection, closes it or leaves it to other requests, before the taker is called. */
  #settle(): void {
    this.#call.abort.delete(this)
    if (this.#phase < Phase.sent) this.#abandonUnsent()
    else if (this.#phase < Phase.decoding) this.#abandonSent()
    else if (this.#phase === Phase.decoding) this.#enter(Phase.done)
  }

  /**
   * Leaves the queue of the pool at once; undici's queue has no way out before the connection is open, or has failed.
   */
  #abandonUnsent(): void {
    if (this.queue !== undefined) {
      this.queue.remove(this)
      this.#enter(Phase.done)
      return
    }
    this.#enter(Phase.abandoned)
    this.#holdPermit()
    if (this.connection?.linger(this) === false) this.connection.closeIfUnwanted()
  }

  /**
   * Closes the connection, or stays until its answer has arrived, where other requests would be lost with the
   * connection.
   */
  #abandonSent(): void {
    const { connection } = this
    if (connection?.linger(this) === true) {
      this.#enter(Phase.lingering)
      return this.#holdPermit()
    }
    this.closeConnection()
    connection?.closeIfUnwanted()
  }

  #holdPermit(): void {
    this.#call.attempt.held = new Promise(resolve => {
      this.#releasePermit = resolve
    })
  }

  #enter(phase: Phase): void {
    this.#phase = enter(this.#phase, phase)
  }

  /** Detaches it from its connection. */
  #release(isSound: boolean): void {
    const { connection } = this
    this.#releasePermit?.()
    if (connection === undefined) return
    this.connection = undefined
    if (this.#controller !== undefined) connection.requestEnded(isSound)
    this.#controller = undefined
    connection.release(this, isSound)
  }
}
