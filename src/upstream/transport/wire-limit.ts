import type { Socket } from 'node:net'
import { countParsed, isTurnFull, readLater } from './parse-turns.ts'

/**
 * The least limit on the bytes of a response outside its body: informational responses, headers, trailers, and bytes
 * that a parser skips. It is six times the default limit on headers.
 */
const leastOverhead = 96 * 1024

/** The ratio of the limit on the bytes outside the body to a larger limit on headers. */
const overheadPerHeaderByte = 6

/**
 * The number of bytes outside the body that are allowed for each byte of the body. The framing of a chunk of one byte
 * takes five.
 */
const perByte = 7

/** A response with more bytes outside its body than this is parsed in several turns of the event loop. */
const heavyBytes = 32 * 1024

/** A socket with more unread bytes than this waits if the turn of the event loop is full. */
const largeRead = 16 * 1024

/** The default limit on the names and values of the headers of one response, in bytes. */
export const defaultMaxHeaderBytes = 16 * 1024

/**
 * The number of bytes outside a body that are read at once when they may exceed the limit on headers. undici parses
 * all bytes that it has read. It creates an error for each header above its limit, which takes 20 µs.
 */
const smallRead = 2 * 1024

/**
 * Limits the bytes of a response outside its body, and the number of them that are parsed in one turn of the event
 * loop. An HTTP parser accepts empty lines, chunk extensions, zeros in a chunk size, reason phrases and spaces of any
 * length. It has no callback for most of them, so the bytes are counted when the parser reads them.
 */
export class WireLimit {
  readonly #maxHeaderBytes: number
  readonly #overhead: number
  /** Bytes that the parser has read since the last response ended. */
  #received = 0
  #body = 0
  #counted = 0
  /** The `Content-Length` of the response, in bytes; 0 if it is unknown. */
  #length = 0

  /** @param maxHeaderBytes The limit on the names and values of the headers of one response, in bytes. */
  constructor(maxHeaderBytes = defaultMaxHeaderBytes) {
    this.#maxHeaderBytes = maxHeaderBytes
    this.#overhead = Math.max(leastOverhead, overheadPerHeaderByte * maxHeaderBytes)
  }

  /** Counts the bytes that are read from a socket. Destroys the socket if a response exceeds the limit. */
  watch(socket: Socket): void {
    this.reset()
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null
    socket.read = () => {
      // undici continues to read after it has destroyed the socket.
      if (socket.destroyed) return null
      const beside = this.#received - this.#body
      if (beside > heavyBytes) {
        this.#count(beside)
        if (beside > this.#overhead + perByte * this.#body) {
          socket.destroy(tooLong(this.#overhead))
          return null
        }
      }
      if (isTurnFull() && (beside > heavyBytes || socket.readableLength > largeRead)) {
        readLater(socket)
        return null
      }
      const most = Math.max(0, this.#length - this.#body) + Math.max(smallRead, this.#maxHeaderBytes - beside)
      const chunk = socket.readableLength > most ? read(most) : read()
      if (chunk !== null) this.#received += chunk.length
      return chunk
    }
  }

  /**
   * Sets the `Content-Length` of the present response. So many body bytes contain no headers, so they are read at once.
   */
  expectBody(length: number): void {
    // Two lengths, which undici refuses, make NaN.
    this.#length = length > 0 ? length : 0
  }

  /** Counts a chunk of the body of the present response. */
  countBody(bytes: number): void {
    this.#body += bytes
  }

  /** Starts the count of the next response. */
  reset(): void {
    const beside = this.#received - this.#body
    if (beside > heavyBytes) this.#count(beside)
    this.#received = this.#body = this.#counted = this.#length = 0
  }

  #count(beside: number): void {
    countParsed(beside - this.#counted)
    this.#counted = beside
  }
}

function tooLong(overhead: number): Error {
  return Object.assign(
    new Error(`the bytes outside the body exceed ${overhead} plus ${perByte} for each byte of the body`),
    { code: 'WIRE_OVERFLOW' },
  )
}
