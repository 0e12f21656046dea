import { Duplex } from 'node:stream'
import type { Server } from 'node:http'

const statusLine = Buffer.from('HTTP/1.1 200 ')

/**
 * A connection in memory: requests are pushed into it, and replies are counted and discarded. The server handles it as
 * a socket, so everything but the system calls is measured.
 */
export class SinkConnection extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 50_000
  bytesRead = 0
  /** Replies with the status 200. */
  replies = 0
  /** Writes of the server. */
  writes = 0

  constructor(server: Server) {
    super({ decodeStrings: false })
    server.emit('connection', this)
  }

  send(request: Buffer): void {
    this.bytesRead += request.length
    this.push(request)
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: () => void): void {
    this.#count(chunk)
    done()
  }

  override _writev(chunks: { readonly chunk: Buffer | string }[], done: () => void): void {
    for (const { chunk } of chunks) this.#count(chunk)
    done()
  }

  /** Node's server calls these methods of a socket. */
  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  destroySoon(): void {
    this.destroy()
  }

  #count(chunk: Buffer | string): void {
    this.writes++
    if (typeof chunk === 'string' ? chunk.startsWith('HTTP/1.1 200 ') : chunk.subarray(0, 13).equals(statusLine))
      this.replies++
  }
}
