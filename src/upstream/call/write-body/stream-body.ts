import type { OperationSpec } from '../../spec/spec.ts'
import { sourceOf, type ByteSource, type SizedStream } from './byte-source.ts'
import { UpstreamError } from '../../../errors.ts'

/**
 * A body that contains streams. It is sent once, because its bytes are not kept: one call claims it, one request reads
 * it, and the end of the call closes it.
 */
export class StreamBody implements AsyncIterable<Uint8Array> {
  readonly #spec: OperationSpec
  /** The `content-type` if each body has its own; `undefined` for that of the operation. */
  readonly contentType: string | undefined
  /** The size of the whole body, in bytes; `undefined` if the size of a stream is not known. */
  readonly length: number | undefined
  readonly #parts: readonly (Uint8Array | SizedSource)[]
  #isClaimed = false
  #isStarted = false
  #isClosed = false
  #bytes = 0
  #failure: Error | undefined
  #rejectPending: ((reason: unknown) => void) | undefined

  constructor(
    spec: OperationSpec,
    parts: readonly (Uint8Array | SizedStream)[],
    { contentType, length }: Pick<StreamBody, 'contentType' | 'length'>,
  ) {
    this.#spec = spec
    this.contentType = contentType
    this.length = length
    this.#parts = parts.map(part =>
      part instanceof Uint8Array ? part : { source: sourceOf(part.stream), size: part.size },
    )
  }

  /** Reserves the body for one call. Returns false if another call has it. */
  claim(): boolean {
    if (this.#isClaimed) return false
    this.#isClaimed = true
    return true
  }

  /** True if a request has read from the body, so that no other request can. */
  get isStarted(): boolean {
    return this.#isStarted
  }

  /** True if a byte of the body was passed to a request. */
  get isPartlySent(): boolean {
    return this.#bytes > 0
  }

  /** The reason for which the body ended before its end; `undefined` if it has not failed. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Returns the error of a call that would send the body again. */
  alreadySent(): TypeError {
    return new TypeError(`${this.#spec.name}: its body is a stream and was already sent: make a new call`)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    if (this.#isStarted) throw this.alreadySent()
    this.#isStarted = true
    for (const part of this.#parts) {
      if (part instanceof Uint8Array) {
        yield this.#counted(part)
        continue
      }
      const { source, size = Infinity } = part
      let left = size
      for (let chunk = await this.#read(source); chunk.done !== true; chunk = await this.#read(source)) {
        const bytes = this.#counted(chunk.value, left)
        left -= bytes.length
        yield bytes
      }
      if (left > 0 && size !== Infinity)
        throw this.#failed(new Error(`${this.#spec.name}: the stream of its body ended before its size, ${size} bytes`))
    }
  }

  /** Closes all streams. A request that waits for more bytes fails, so that its upstream sees that the body was cut. */
  close(): void {
    this.#isClosed = true
    this.#rejectPending?.(closed)
    for (const part of this.#parts) if (!(part instanceof Uint8Array)) part.source.close()
  }

  /** Reads from a stream until the body is closed, because a stream may never settle. */
  #read(source: ByteSource): Promise<IteratorResult<unknown>> {
    if (this.#isClosed) throw closed
    return new Promise((resolve, reject) => {
      this.#rejectPending = reject
      source.next().then(resolve, (cause: unknown) => {
        reject(this.#failed(new Error(`${this.#spec.name}: the stream of its body failed`, { cause })))
      })
    })
  }

  /** Checks a chunk and counts its bytes before they are sent. */
  #counted(chunk: unknown, limit = Infinity): Uint8Array {
    const { name, upstream } = this.#spec
    if (!(chunk instanceof Uint8Array))
      throw this.#failed(
        new TypeError(
          `${name}: the stream of its body gave a ${typeof chunk}: give Uint8Array chunks, or encode texts`,
        ),
      )
    if (chunk.length > limit)
      throw this.#failed(new Error(`${name}: the stream of its body has more bytes than its size says`))
    if (this.#bytes + chunk.length > upstream.maxRequestBytes) {
      const detail = `its body has more bytes than the limit, which is ${upstream.maxRequestBytes}`
      throw this.#failed(new UpstreamError('CALL_INPUT_INVALID', name, { detail }))
    }
    this.#bytes += chunk.length
    return chunk
  }

  /** Keeps the first failure. The end of a closed stream is not a failure. */
  #failed(failure: Error): Error {
    if (!this.#isClosed) this.#failure ??= failure
    return failure
  }
}

/** Closes the streams of a call that will not be sent, unless another use of the call has its body. */
export function closeUnsent({ body }: { readonly body: unknown }): void {
  if (body instanceof StreamBody && body.claim()) body.close()
}

interface SizedSource {
  readonly source: ByteSource
  readonly size: number | undefined
}

/** Ends the request of a closed body. No caller receives it. */
const closed = new Error('the call of the body has ended')
