import type { Socket } from 'node:net'
import type { BatchSize, BatchStart } from './batch-size.ts'
import { Connection, type ConnectionOptions, type RequestHandler } from './connection.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { WriteBatch } from './write-batch.ts'

export interface PipelineOptions extends ConnectionOptions {
  /** Limit on the requests in flight on the connection. */
  readonly pipelining: number
  /** The size of a batch, shared by all connections of a pool. */
  readonly batchSize: BatchSize
}

/**
 * A connection with several requests in flight. Responses arrive in the order of the requests (RFC 9112, section
 * 9.3.2). An abandoned request stays until its response has arrived, because closing the connection would fail all
 * other requests on it. The connection closes when all its requests are abandoned.
 */
export class Pipeline extends Connection {
  readonly #batchSize: BatchSize
  // Short lists are used instead of sets, because the old tables of a set would retain removed requests.
  readonly #assigned: RequestHandler[] = []
  readonly #unwanted: RequestHandler[] = []
  /** Joins the writes to the present socket. */
  #writes: WriteBatch | undefined
  /**
   * The start of the present batch; `undefined` after its first slow response, because later responses give no more
   * information.
   */
  #batchStart: BatchStart | undefined
  /** True if a request has failed since the connection was last empty. undici may be rejecting its other requests. */
  #isFailing = false
  /** True if a response on the present socket had `connection: close`. */
  #isClosing = false

  constructor(origin: string, { batchSize: size, ...options }: PipelineOptions) {
    super(origin, options)
    this.#batchSize = size
    this.on('connect', () => {
      this.#isClosing = false
      this.#writes = new WriteBatch(this.socket as Socket)
    })
    // undici would send the requests in flight again. Only the retry layer may decide that.
    this.on('disconnect', () => {
      for (const handler of this.#assigned.slice()) handler.connectionLost(this.#isClosing)
    })
  }

  get hasRoom(): boolean {
    return !this.#isFailing && this.#assigned.length < this.#batchSize.current
  }

  /**
   * Starts a batch, whose requests are written together. Returns the function that writes them; `undefined` if no
   * socket has opened yet.
   */
  startBatch(): (() => void) | undefined {
    this.#batchStart = this.#batchSize.start
    return this.#writes?.start()
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
  const index = list.indexOf(handler)
  if (index === 0) list.shift()
  else if (index > 0) list.splice(index, 1)
}
