/** Lines that wait to be written, next to each other. */
interface Chunk {
  readonly bytes: Buffer
  /** The index of the first byte that was not written. */
  from: number
  /** The index of the next line. */
  to: number
}

/** The size of a chunk, in bytes; a line that may be longer gets a chunk of its own. */
const chunkBytes = 64 * 1024
/** Bytes of UTF-8 for one UTF-16 code unit, at most. */
const most = 3
const newline = 10

/** A queue of lines in memory of a bounded size. A line is kept whole, or not at all. */
export class LineBuffer {
  readonly #limit: number
  readonly #chunks: Chunk[] = []
  #spare: Buffer | undefined
  #held = 0

  /** @param limit - The memory that waiting lines may take, in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The memory that is taken, in bytes. */
  get held(): number {
    return this.#held
  }

  /** The chunk to write from, or `undefined` where nothing waits. */
  get first(): Readonly<Chunk> | undefined {
    return this.#chunks[0]
  }

  /**
   * Adds a line. An empty text takes no room: it has no byte whose write would remove it.
   *
   * @param line - A text that ends with a newline.
   * @returns Whether there was room.
   */
  add(line: string): boolean {
    if (line === '') return true
    const needed = line.length * most
    const last = this.#chunks[this.#chunks.length - 1]
    if (last !== undefined && last.bytes.length - last.to >= needed) {
      last.to += last.bytes.write(line, last.to)
      return true
    }
    const isLong = needed > chunkBytes
    const size = isLong ? Buffer.byteLength(line) : chunkBytes
    if (this.#held + size > this.#limit) return false
    const bytes = isLong ? Buffer.from(line) : (this.#spare ?? Buffer.allocUnsafeSlow(chunkBytes))
    if (bytes === this.#spare) this.#spare = undefined
    this.#held += size
    this.#chunks.push({ bytes, from: 0, to: isLong ? size : bytes.write(line) })
    return true
  }

  /** The number of bytes to write next from the first chunk: whole lines, `largest` bytes at most, or else one line. */
  nextBytes(largest: number): number {
    const { bytes, from, to } = this.#chunks[0] as Chunk
    if (to - from <= largest) return to - from
    const last = bytes.lastIndexOf(newline, from + largest - 1)
    const end = last >= from ? last : bytes.indexOf(newline, from)
    // Text that others write to stdout may have no newline.
    return end >= from && end < to ? end + 1 - from : to - from
  }

  /** Returns whether the first byte that waits is within a line whose beginning was written. */
  get isWithinLine(): boolean {
    const first = this.#chunks[0]
    return first !== undefined && first.from > 0 && first.bytes[first.from - 1] !== newline
  }

  /** The lines that end within the next `count` bytes. */
  linesIn(count: number): number {
    const { bytes, from } = this.#chunks[0] as Chunk
    let lines = 0
    for (let at = bytes.indexOf(newline, from); at !== -1 && at < from + count; at = bytes.indexOf(newline, at + 1))
      lines++
    return lines
  }

  /** Removes the next `count` bytes of the first chunk; its memory may be used again. */
  remove(count: number): void {
    const bytes = this.leave(count)
    if (bytes?.length === chunkBytes) this.#spare = bytes
  }

  /**
   * Removes the next `count` bytes of the first chunk, which a thread may still read.
   *
   * @returns The memory of the chunk, once all of it is removed.
   */
  leave(count: number): Buffer | undefined {
    const first = this.#chunks[0] as Chunk
    first.from += count
    if (first.from < first.to) return undefined
    this.#chunks.shift()
    this.#held -= first.bytes.length
    return first.bytes
  }
}
