/**
 * A length is trusted once at least this fraction of it has come: one eighth. Else a few bytes could have megabytes
 * allocated for them.
 */
const credit = 8

/** Chunks below this size are copied together, in bytes: a Buffer takes about 200 bytes beside its content. */
const smallBytes = 2048

/** The smallest and the largest block for chunks that are copied together, in bytes. */
const minBlock = 1024
const maxBlock = 64 * 1024

/**
 * A body that comes in several chunks. Where its head gave its length, they are copied into one buffer as they come:
 * each then dies young, and nothing is copied again at the end. Otherwise small chunks are copied together, and large
 * ones are kept as they are. So the memory that a body takes is at most about twice its length, whatever the size of
 * its chunks.
 */
export class BodyBuffer {
  #length: number
  /** The buffer for a whole body of a trusted length. */
  #preallocated: Buffer | undefined
  /** Full blocks and large chunks, in order. */
  #list: Buffer[] = []
  /** The block that is being filled. */
  #block: Buffer | undefined
  /** The part of the block that is not in the list yet. */
  #from = 0
  #to = 0
  #bytes = 0

  /**
   * @param first The first chunk.
   * @param length The length that the head gave, in bytes; 0 where it gave none.
   */
  constructor(first: Buffer, length: number) {
    this.#length = length
    this.add(first)
  }

  /** Adds a chunk. */
  add(chunk: Buffer): void {
    const before = this.#bytes
    this.#bytes += chunk.length
    if (this.#preallocated === undefined) {
      if (this.#length >= this.#bytes && this.#length <= credit * this.#bytes) this.#preallocate(chunk)
      else this.#collect(chunk)
    } else if (this.#bytes <= this.#preallocated.length) {
      chunk.copy(this.#preallocated, before)
    } else {
      // The body is longer than its head said; the reader refuses it.
      this.#list = [this.#preallocated.subarray(0, before)]
      this.#preallocated = undefined
      this.#length = 0
      this.#collect(chunk)
    }
  }

  /** Returns the whole body. */
  toBuffer(): Buffer {
    if (this.#preallocated !== undefined) return this.#preallocated.subarray(0, this.#bytes)
    this.#flush()
    return this.#list.length === 1 ? (this.#list[0] as Buffer) : Buffer.concat(this.#list, this.#bytes)
  }

  #collect(chunk: Buffer): void {
    // A chunk is a slice of what the socket has read. A small slice that is kept holds all of that.
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

  /** Moves what was copied together to the list. */
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
