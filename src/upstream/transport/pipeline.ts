import type { BatchSize, BatchStart } from './batch-size.ts'
import { Connection, type ConnectionOptions, type RequestHandler } from './connection.ts'
import type { ResponseHeaders } from './response-headers.ts'

export interface PipelineOptions extends ConnectionOptions {
  /** Requests on the connection at once. */
  readonly pipelining: number
  /** The present size of a batch; the same for all connections of a pool. */
  readonly batchSize: BatchSize
}

/**
 * A connection that carries several requests at once, answered in the order in which they were sent (RFC 9112, section
 * 9.3.2). An abandoned request stays until its answer has arrived, since closing the connection would fail the others;
 * the last wanted one closes it.
 */
export class Pipeline extends Connection {
  readonly #batchSize: BatchSize
  // Lists, since they are short; a set's old tables would retain what has left it.
  readonly #assigned: RequestHandler[] = []
  readonly #unwanted: RequestHandler[] = []
  /** The start of the present batch, if there is one and none of it was slow yet: later answers say nothing more. */
  #batchStart: BatchStart | undefined
  /** Whether a request has failed since the connection was last empty: undici may be failing the others. */
  #isFailing = false
  /** Whether an answer on the present socket had `connection: close`. */
  #isClosing = false

  constructor(origin: string, { batchSize: size, ...options }: PipelineOptions) {
    super(origin, options)
    this.#batchSize = size
    this.on('connect', () => {
      this.#isClosing = false
    })
    // undici would send again what was in flight; the retry layer decides that.
    this.on('disconnect', () => {
      for (const handler of this.#assigned.slice()) handler.connectionLost(this.#isClosing)
    })
  }

  get hasRoom(): boolean {
    return !this.#isFailing && this.#assigned.length < this.#batchSize.current
  }

  /**
   * Starts a batch: holds back what is written, so that it is written together, until the returned function is called.
   */
  cork(): () => void {
    const { socket } = this
    this.#batchStart = this.#batchSize.start
    socket?.cork()
    return () => socket?.uncork()
  }

  override closeIfUnwanted(): void {
    this.#assigned[0]?.closeConnection()
  }

  override assign(handler: RequestHandler, now: number): void {
    super.assign(handler, now)
    if (this.#assigned.length === 0) this.#isFailing = false
    this.#assigned.push(handler)
    this.#batchSize.requestStarted()
  }

  override rejectUnsent(reason: () => unknown): void {
    for (const handler of this.#assigned.slice()) handler.rejectIfUnsent(reason)
  }

  override headersReceived({ connection }: ResponseHeaders): void {
    if (connection !== undefined && /\bclose\b/i.test(String(connection))) this.#isClosing = true
  }

  override linger(handler: RequestHandler): boolean {
    if (!this.#unwanted.includes(handler)) this.#unwanted.push(handler)
    return this.#unwanted.length < this.#assigned.length
  }

  override release(handler: RequestHandler, isSound: boolean): void {
    if (!isSound) this.#isFailing = true
    this.#recordSlowness()
    remove(this.#assigned, handler)
    remove(this.#unwanted, handler)
    if (this.#assigned.length === 0) {
      // The next request may not be part of a batch.
      this.#batchStart = undefined
      return super.release(handler, isSound)
    }
    if (this.#unwanted.length === this.#assigned.length) this.#unwanted[0]?.closeConnection()
  }

  #recordSlowness(): void {
    this.#batchSize.requestEnded()
    if (this.#batchStart === undefined) return
    const isSlow = this.#batchSize.isSlow(this.#batchStart)
    this.#batchSize.record(isSlow)
    if (isSlow) this.#batchStart = undefined
  }
}

function remove(list: RequestHandler[], handler: RequestHandler): void {
  const place = list.indexOf(handler)
  if (place === 0) list.shift()
  else if (place > 0) list.splice(place, 1)
}
