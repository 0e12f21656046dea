import type { IncomingMessage } from 'node:http'
import { Problem } from '../../errors.ts'
import { BodyBuffer } from '../../upstream/transport/body-buffer.ts'
import type { InboundBodies, OpenBody } from './inbound-bodies.ts'
import { inviteBody } from '../connection/unread-body.ts'

/** The source of a body: the request, or the stream that a `preParsing` hook has put in its place. */
export type Payload = NodeJS.ReadableStream & { readonly receivedEncodedLength?: number }

export interface ReceiveOptions {
  readonly bodies: InboundBodies
  /** The largest body, in bytes. */
  readonly limit: number
}

/**
 * A `content-length` is counted whole once at least this fraction of the body has come, since `Chunks` then allocates
 * all of it: one eighth.
 */
const credit = 8

type Done = (error: Error | null, body?: Buffer) => void

/**
 * Reads a body whole.
 *
 * @param done Gets the body, or a `Problem`: `PAYLOAD_TOO_LARGE`, `OVERLOADED` where the bodies together have too many
 * bytes, or `BAD_REQUEST`.
 */
export function receiveBody(request: IncomingMessage, payload: Payload, options: ReceiveOptions, done: Done): void {
  new BodyReceiver(request, payload, options, done).start()
}

class BodyReceiver implements OpenBody {
  readonly since = performance.now()
  bytes = 0
  readonly #request: IncomingMessage
  readonly #payload: Payload
  readonly #bodies: InboundBodies
  readonly #limit: number
  /** The `content-length`, or NaN. */
  readonly #length: number
  #received = 0
  #done: Done | undefined
  #first: Buffer | undefined
  #chunks: BodyBuffer | undefined

  constructor(request: IncomingMessage, payload: Payload, { bodies, limit }: ReceiveOptions, done: Done) {
    this.#request = request
    this.#payload = payload
    this.#bodies = bodies
    this.#limit = limit
    this.#length = Number(request.headers['content-length'] ?? NaN)
    this.#done = done
  }

  start(): void {
    if (this.#length > this.#limit) return this.#settle(new Problem('PAYLOAD_TOO_LARGE'))
    if (!this.#bodies.open(this, this.#length || 0)) return this.refuse()
    inviteBody(this.#request)
    this.#payload.on('data', this.#take).on('end', this.#end).on('error', this.#fail).on('close', this.#leave)
    this.#payload.resume()
  }

  refuse(): void {
    this.#settle(new Problem('OVERLOADED'))
  }

  readonly #take = (data: Buffer | string): void => {
    const chunk = typeof data === 'string' ? Buffer.from(data) : data
    this.#received += chunk.length
    if (this.#received > this.#limit || (this.#payload.receivedEncodedLength ?? 0) > this.#limit)
      return this.#settle(new Problem('PAYLOAD_TOO_LARGE'))
    const held = credit * this.#received >= this.#length ? Math.max(this.#length, this.#received) : this.#received
    if (!this.#bodies.add(this, held - this.bytes)) return this.refuse()
    if (this.#chunks !== undefined) this.#chunks.add(chunk)
    else if (this.#first === undefined) this.#first = chunk
    else {
      this.#chunks = new BodyBuffer(this.#first, this.#length || 0)
      this.#chunks.add(chunk)
    }
  }

  readonly #end = (): void => {
    const received = this.#payload.receivedEncodedLength ?? this.#received
    // A body that a hook has read into another stream may have another length than the request's.
    if (this.#length >= 0 && received !== this.#length)
      return this.#settle(
        new Problem('BAD_REQUEST', { detail: 'The body has another length than its content-length.' }),
      )
    this.#settle(null, this.#chunks?.whole() ?? this.#first ?? Buffer.alloc(0))
  }

  readonly #fail = (error: Error): void => {
    this.#settle(new Problem('BAD_REQUEST', { cause: error }))
  }

  /** The client has left before the end. */
  readonly #leave = (): void => {
    this.#bodies.close(this)
  }

  #settle(error: Problem | null, body?: Buffer): void {
    const done = this.#done
    if (done === undefined) return
    this.#done = undefined
    this.#payload.off('data', this.#take).off('end', this.#end).off('error', this.#fail).off('close', this.#leave)
    if (error !== null) this.#payload.pause()
    this.#bodies.close(this)
    this.#first = this.#chunks = undefined
    done(error, body)
  }
}
