import type { IncomingMessage } from 'node:http'
import { Problem } from '../../errors.ts'
import { BodyBuffer } from '../../upstream/transport/body-buffer.ts'
import type { InboundBodies, OpenBody } from './inbound-bodies.ts'
import { inviteBody } from '../connection/unread-body.ts'

/** The source of a body: the request, or the stream with which a `preParsing` hook has replaced it. */
export type Payload = NodeJS.ReadableStream & { readonly receivedEncodedLength?: number }

export interface ReceiveOptions {
  readonly bodies: InboundBodies
  /** The largest body, in bytes. */
  readonly limit: number
}

/**
 * The divisor of `content-length`: when an eighth of the body has arrived, `BodyBuffer` allocates the whole length, so
 * the whole length is counted.
 */
const allocateAfter = 8

type Done = (error: Error | null, body?: Buffer) => void

/**
 * Receives a whole body.
 *
 * @param done Gets the body, or a `Problem`: `PAYLOAD_TOO_LARGE`, `OVERLOADED` if all bodies together have too many
 * bytes, or `BAD_REQUEST`.
 */
export function receiveBody(request: IncomingMessage, payload: Payload, options: ReceiveOptions, done: Done): void {
  new BodyReceiver(request, payload, options, done).start()
}

function tooLarge(limit: number): Problem {
  return new Problem('PAYLOAD_TOO_LARGE', { detail: `The body exceeds the limit of ${limit} bytes.` })
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
    if (this.#length > this.#limit) return this.#settle(tooLarge(this.#limit))
    if (!this.#bodies.open(this, this.#length || 0)) return this.refuse()
    inviteBody(this.#request)
    this.#payload.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
    this.#payload.resume()
  }

  refuse(): void {
    this.#settle(new Problem('OVERLOADED'))
  }

  readonly #onData = (data: Buffer | string): void => {
    const chunk = typeof data === 'string' ? Buffer.from(data) : data
    this.#received += chunk.length
    if (this.#received > this.#limit || (this.#payload.receivedEncodedLength ?? 0) > this.#limit)
      return this.#settle(tooLarge(this.#limit))
    const counted =
      allocateAfter * this.#received >= this.#length ? Math.max(this.#length, this.#received) : this.#received
    if (!this.#bodies.add(this, counted - this.bytes)) return this.refuse()
    if (this.#chunks !== undefined) this.#chunks.add(chunk)
    else if (this.#first === undefined) this.#first = chunk
    else {
      this.#chunks = new BodyBuffer(this.#first, this.#length || 0)
      this.#chunks.add(chunk)
    }
  }

  readonly #onEnd = (): void => {
    const received = this.#payload.receivedEncodedLength ?? this.#received
    // The stream of a hook may have a different length from the request.
    if (this.#length >= 0 && received !== this.#length)
      return this.#settle(
        new Problem('BAD_REQUEST', { detail: 'The length of the body differs from its content-length.' }),
      )
    this.#settle(null, this.#chunks?.toBuffer() ?? this.#first ?? Buffer.alloc(0))
  }

  readonly #onError = (error: Error): void => {
    this.#settle(new Problem('BAD_REQUEST', { cause: error }))
  }

  /** Called when the client closes the connection before the end of the body. */
  readonly #onClose = (): void => {
    this.#bodies.close(this)
  }

  #settle(error: Problem | null, body?: Buffer): void {
    const done = this.#done
    if (done === undefined) return
    this.#done = undefined
    this.#payload
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
    if (error !== null) this.#payload.pause()
    this.#bodies.close(this)
    this.#first = this.#chunks = undefined
    done(error, body)
  }
}
