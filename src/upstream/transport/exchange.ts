import type { Dispatcher } from 'undici'
import { UpstreamError } from '../../errors.ts'
import { hasMemoryFor } from '../../memory/room.ts'
import { isCallersLimit } from '../call/callers-limit.ts'
import { recordLocation } from '../call/redirect-location.ts'
import { recordAnswer } from '../call/status-answer.ts'
import { BodyBuffer } from './body-buffer.ts'
import { bodyTooLarge, connectionFailed, endlessInformational, resetError } from './exchange-errors.ts'
import { Phase } from './exchange-phase.ts'
import { PooledRequest } from './pooled-request.ts'
import { processBody, shed, type BodyOwner } from './process-body.ts'
import { isCloseDelimited, classifyResponse, readsFailure, type ResponseHeaders } from './response-headers.ts'
import { isComplete, withoutWhiteSpace } from './white-space.ts'

type Controller = Dispatcher.DispatchController

/**
 * The limit on the body of a response whose headers decided the outcome, in bytes. The body is read to keep the
 * connection.
 */
const maxDiscardBytes = 16 * 1024

/** Informational responses (1xx) accepted before the final one. */
const maxInformational = 8

const noBody = Buffer.alloc(0)

/**
 * One HTTP exchange as a phase machine. It receives the callbacks of undici, classifies the response headers, collects
 * the body up to its limit and settles its call once.
 */
export class Exchange<T> extends PooledRequest<T> implements BodyOwner {
  #informational = 0
  headers: ResponseHeaders = {}
  /**
   * The error that the headers decided; otherwise `null`. Such a response is discarded, or read if its operation lists
   * the status in `responses`.
   */
  #decidedError: UpstreamError | null = null
  #firstChunk: Buffer | undefined
  #bodyBuffer: BodyBuffer | undefined
  #bytes = 0

  get isDecoding(): boolean {
    return this.phase === Phase.decoding
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    const phase = this.phase
    if (phase === Phase.pending) return this.onSendFailed(error)
    if (phase === Phase.moving) return this.redispatch()
    // undici has closed the connection.
    if (isComplete(error, this.headers, this.#bytes)) return this.#onComplete(false)
    if (phase < Phase.decoding) return this.#onBroken(error)
    if (phase === Phase.abandoned || phase === Phase.lingering || phase === Phase.closing) {
      this.release(phase === Phase.abandoned)
      this.enter(Phase.done)
    }
  }

  onResponseStart(_controller: Controller, status: number, received: ResponseHeaders): void {
    if (this.phase !== Phase.sent) return
    const { spec, isConditional } = this.call
    if (status < 200) {
      if (++this.#informational > maxInformational) this.reject(endlessInformational(this.call))
      return
    }
    const headers = withoutWhiteSpace(received)
    this.status = status
    this.headers = headers
    if (status < 400 && this.isUnsafe) this.call.effort.changed = headers
    this.connection?.headersReceived(headers)
    const length = Number(headers['content-length'] ?? 0)
    this.connection?.wireLimit.expectBody(length)
    const responseClass =
      status === 304 && isConditional
        ? 'absent'
        : classifyResponse(spec, status, headers, status === 429 && isCallersLimit(this.call))
    const isRead = responseClass === 'read' || (responseClass !== 'absent' && this.#readsFailure(responseClass))
    this.enter(isRead ? Phase.reading : Phase.discarding)
    if (isRead) return
    // A body that ends with its connection is not read: the connection is lost anyway.
    if (length > maxDiscardBytes || isCloseDelimited(spec.method, status, headers)) this.#settleDecided()
  }

  /** Records the error that the headers decided, and returns whether the body is read all the same. */
  #readsFailure(error: UpstreamError): boolean {
    const { spec } = this.call
    this.#decidedError = error
    if (spec.upstream.redirects > 0) recordLocation(error, this.headers['location'])
    return readsFailure(spec, this.status, this.headers, error)
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    const { maxResponseBytes } = this.call.spec.upstream
    this.#bytes += chunk.length
    this.connection?.wireLimit.countBody(chunk.length)
    if (this.phase === Phase.discarding) {
      if (this.#bytes > maxDiscardBytes) this.#settleDecided()
    } else if (this.phase === Phase.lingering) {
      // Limits how much of an abandoned response is read.
      if (this.#bytes > 2 * maxResponseBytes) this.closeConnection()
    } else if (this.phase === Phase.reading) {
      this.#collect(chunk, maxResponseBytes)
    }
  }

  #collect(chunk: Buffer, maxBytes: number): void {
    if (this.#bytes > maxBytes) {
      this.bodyFailed(bodyTooLarge(this.call, this.status))
    } else if (this.#firstChunk === undefined) {
      this.#firstChunk = chunk
    } else if (this.call.spec.safe && !hasMemoryFor(chunk.length)) {
      shed(this, 'the process does not have enough memory for its response')
    } else {
      this.#bodyBuffer ??= new BodyBuffer(this.#firstChunk, Number(this.headers['content-length'] ?? 0))
      this.#bodyBuffer.add(chunk)
    }
  }

  onResponseEnd(): void {
    // Only a FIN may end a close-delimited body (RFC 9112, section 8), and undici accepts a reset too.
    if (
      this.phase === Phase.reading &&
      this.connection?.isBroken === true &&
      isCloseDelimited(this.call.spec.method, this.status, this.headers)
    )
      this.#onBroken(resetError)
    else this.#onComplete(true)
  }

  #onComplete(isSound: boolean): void {
    this.release(isSound)
    if (this.phase === Phase.reading) {
      this.enter(Phase.decoding)
      processBody(this, this.#bodyBuffer?.toBuffer() ?? this.#firstChunk ?? noBody)
    } else if (this.phase !== Phase.done) {
      const isDecided = this.phase === Phase.discarding
      this.enter(Phase.done)
      if (isDecided) this.#settleDecided()
    }
  }

  /** The connection failed after the request was written. */
  #onBroken(error: Error): void {
    const { connection } = this
    const isDecided = this.phase === Phase.discarding || this.#decidedError !== null
    this.release(false)
    this.enter(Phase.done)
    if (isDecided) return this.#settleDecided()
    const failure = connectionFailed(this.call, error, this.isReused, this.status === 0 && this.#informational === 0)
    if (failure instanceof UpstreamError && failure.isIdleClose) connection?.recordIdleClose()
    this.reject(failure)
  }

  /** Settles the call by the response headers alone. */
  #settleDecided(): void {
    if (this.#decidedError !== null) this.reject(this.#decidedError)
    // A 205 has no body, but its headers may be part of the value.
    else if (this.status === 205) processBody(this, noBody)
    else this.resolve(null, noBody)
  }

  resolve(value: unknown, body: Buffer): void {
    this.settle()
    const answer = { value: value as T, status: this.status }
    const { spec, headers } = this.call
    if (this.#decidedError !== null) {
      recordAnswer(this.#decidedError, spec, answer)
      return this.completion.reject(this.#decidedError)
    }
    if (spec.cache === undefined) return this.completion.resolve(answer)
    const request = { headers: this.options.headers as string[], layerHeaders: headers }
    this.completion.resolve({ ...answer, received: { head: this.headers, body, value, request } })
  }

  /** Rejects the call because its body cannot be used. A status that failed before takes precedence. */
  bodyFailed(error: unknown): void {
    this.reject(this.#decidedError ?? error)
  }
}
