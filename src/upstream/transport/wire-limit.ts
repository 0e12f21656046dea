import type { Socket } from 'node:net'
import { countParsed, isTurnFull, readLater } from './parse-turns.ts'

/**
 * Bytes that an answer may take on the wire beside its body: interim heads, the head, trailers, and what a parser
 * skips. That is six heads of the largest size.
 */
export const besideBody = 96 * 1024

/** Bytes beside the body that each byte of it may take; the framing of a chunk of one byte takes five. */
export const perByte = 7

/** An answer with more bytes beside its body than this is parsed in turns of the loop; ordinary heads are below. */
const heavyBytes = 32 * 1024

/** A socket with more unread bytes than this waits while turns of the loop are full. */
const largeRead = 16 * 1024

/**
 * Bounds what an answer takes on the wire beside its body, and how much of that is parsed in one turn of the loop. A
 * parser of HTTP takes empty lines, chunk extensions, zeros of a chunk size, reason phrases and spaces of any length,
 * and no callback tells of most of them. So the bytes are counted where the parser reads them.
 */
export class WireLimit {
  /** Bytes that the parser has read since the last answer ended. */
  #received = 0
  #body = 0
  #counted = 0

  /**
   * Counts what is read of a socket. A connection whose answer takes too much is destroyed, and its parser is given no
   * more.
   */
  watch(socket: Socket): void {
    this.reset()
    const read = socket.read.bind(socket) as (size?: number) => Buffer | null
    socket.read = (size?: number) => {
      const beside = this.#received - this.#body
      if (beside > heavyBytes) {
        this.#count(beside)
        if (beside > besideBody + perByte * this.#body) {
          socket.destroy(tooLong())
          return null
        }
      }
      if (isTurnFull() && (beside > heavyBytes || socket.readableLength > largeRead)) {
        readLater(socket)
        return null
      }
      const chunk = read(size)
      if (chunk !== null) this.#received += chunk.length
      return chunk
    }
  }

  /** Counts a part of the present answer's body. */
  countBody(bytes: number): void {
    this.#body += bytes
  }

  /** The present answer has ended. */
  reset(): void {
    const beside = this.#received - this.#body
    if (beside > heavyBytes) this.#count(beside)
    this.#received = this.#body = this.#counted = 0
  }

  #count(beside: number): void {
    countParsed(beside - this.#counted)
    this.#counted = beside
  }
}

function tooLong(): Error {
  return Object.assign(
    new Error(`the answer takes more than ${besideBody} bytes beside its body, and ${perByte} for each byte of it`),
    { code: 'WIRE_OVERFLOW' },
  )
}
