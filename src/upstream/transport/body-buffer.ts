/**
 * The buffer for a whole body is allocated only after one eighth of Content-Length has arrived. Otherwise an upstream
 * could cause an allocation of megabytes with a few bytes.
 */
const preallocationFactor = 8

/**
 * Chunks below this size are copied into blocks, in bytes. A Buffer takes about 200 bytes in addition to its content.
 */
const smallBytes = 2048

/** The smallest and the largest block for small chunks, in bytes. */
const minBlock = 1024
const maxBlock = 64 * 1024

/**
 * Collects the chunks of a body. With a Content-Length, each chunk is copied into one buffer when it arrives. So chunks
 * are garbage collected early, and nothing is copied at the end. Without a Content-Length, small chunks are copied into
 * blocks and large chunks are kept. A body takes at most about twice its length, for any size of its chunks.
 */
export class BodyBuffer {
  #length: number
  /** The buffer of Content-Length bytes, once it is allocated. */
  #preallocated: Buffer | undefined
  /** Full blocks and large chunks, in order. */
  #list: Buffer[] = []
  /** The block that is being filled. */
  #block: Buffer | undefined
  /** The part of the block that is not yet in the list. */
  #from = 0
  #to = 0
  #bytes = 0

  /**
   * @param first The first chunk.
   * @param length The Content-Length in bytes; 0 without one.
   */
  constructor(first: Buffer, length: number) {
    this.#length = length
    this.add(first)
  }

  /** Adds a chunk. */
  add(chunk: Buffer): void {
    const start = this.#bytes
    this.#bytes += chunk.length
    if (this.#preallocated === undefined) {
      if (this.#length >= this.#bytes && this.#length <= preallocationFactor * this.#bytes) this.#preallocate(chunk)
      else this.#collect(chunk)
    } else if (this.#bytes <= this.#preallocated.length) {
      chunk.copy(this.#preallocated, start)
    } else {
      // The body is longer than its Content-Length; undici refuses it.
      this.#list = [this.#preallocated.subarray(0, start)]
      this.#preallocated = undefined
      this.#length = 0
      this.#collect(chunk)
    }
  }

  /** Returns the whole body as one buffer. */
  toBuffer(): Buffer {
    if (this.#preallocated !== undefined) return this.#preallocated.subarray(0, this.#bytes)
    this.#flush()
    return this.#list.length === 1 ? (this.#list[0] as Buffer) : Buffer.concat(this.#list, this.#bytes)
  }

  #collect(chunk: Buffer): void {
    // A chunk is a slice of a read buffer of the socket. A small slice would retain the whole buffer.
    if (chunk.length >= smallBytes && 2 * chunk.length >= chunk.buffer.byteLength) {
      this.#flush()
      this.#list.push(chunk)
      return
    }
    for (let at = 0; at < chunk.length;) {
      if (this.#block === undefined || this.#to === this.#block.length) {
        this.#flush()
        this.#block = Buffer.allocUnsafeSlow(Math.min(maxBlock, Math.max(minBlock, 2 * this.#bytes)))
        this.#from = this.#to = 0
      }
      const copied = chunk.copy(this.#block, this.#to, at)
      this.#to += copied
      at += copied
    }
  }

  /** Appends the filled part of the block to the list. */
  #flush(): void {
    if (this.#block === undefined || this.#from === this.#to) return
    this.#list.push(this.#block.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #preallocate(chunk: Buffer): void {
    this.#preallocated = Buffer.allocUnsafeSlow(this.#length)
    this.#flush()
    let at = 0
    for (const each of this.#list) at += each.copy(this.#preallocated, at)
    chunk.copy(this.#preallocated, at)
    this.#list = []
    this.#block = undefined
  }
}
