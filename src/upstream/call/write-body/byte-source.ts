/** Bytes that arrive over time: a Node.js stream, a `ReadableStream`, or an async generator. */
export type ByteStream = AsyncIterable<Uint8Array>

/** A stream, with its size in bytes if that is known. */
export interface SizedStream {
  readonly stream: ByteStream
  readonly size: number | undefined
}

/** A stream that can be read once, and closed at any time. */
export interface ByteSource {
  next(): Promise<IteratorResult<unknown>>
  /** Ends the stream and frees its resources. It may be called at any time, and several times. */
  close(): void
}

/** Returns whether a value is a stream. A text and bytes can be iterated too, but not asynchronously. */
export function isByteStream(value: unknown): value is ByteStream {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Returns whether a value can be the size of a stream. */
export function isSize(value: unknown): value is number | undefined {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)
}

/** Returns the source of a stream, which is not read before the first `next`. */
export function sourceOf(stream: ByteStream): ByteSource {
  if (isWebStream(stream)) return webSource(stream)
  if (isNodeStream(stream)) {
    // A file that cannot be opened emits its error before anyone reads it. Without a listener that ends the process.
    stream.on('error', ignore)
  }
  let iterator: AsyncIterator<unknown> | undefined
  return {
    next: async () => (iterator ??= stream[Symbol.asyncIterator]()).next(),
    close() {
      if (isNodeStream(stream)) stream.destroy()
      // A generator ends at its next `yield`. A generator that was never started has nothing to end.
      else iterator?.return?.().then(ignore, ignore)
    },
  }
}

/** The iterator of a web stream cannot be ended while it waits, and its reader can. */
function webSource(stream: ReadableStream<unknown>): ByteSource {
  let reader: ReadableStreamDefaultReader<unknown> | undefined
  return {
    async next() {
      reader ??= stream.getReader()
      return (await reader.read()) as IteratorResult<unknown>
    },
    close() {
      // A stream that has another reader belongs to that reader.
      ;(reader ?? stream).cancel().then(ignore, ignore)
    },
  }
}

function isWebStream(stream: object): stream is ReadableStream<unknown> {
  return 'getReader' in stream
}

function isNodeStream(stream: object): stream is NodeJS.ReadableStream & { destroy(): unknown } {
  return 'destroy' in stream && 'on' in stream
}

function ignore(): void {}
