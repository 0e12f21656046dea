/** Lines that wait to be written, next to each other. */
interface Chunk {
  readonly bytes: Buffer
  /** The index of the first byte that was not written. */
  from: number
  /** The index of the next line. */
  to: number
}

/** The size of a chunk, in bytes. A line that may be longer gets its own chunk. */
const chunkBytes = 64 * 1024
/** The largest number of UTF-8 bytes for one UTF-16 code unit. */
const most = 3
const newline = 10

/** A queue of lines in memory of a bounded size. A line that does not fit is refused as a whole. */
export class LineBuffer {
  readonly #limit: number
  readonly #chunks: Chunk[] = []
  #spare: Buffer | undefined
  #held = 0
  #bytes = 0

  /** @param limit - The largest size of the memory for waiting lines, in bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The size of the memory that is in use, in bytes. */
  get held(): number {
    return this.#held
  }

  /** The size of the lines that were not removed, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** The chunk whose lines are written next, or `undefined` if there are no lines. */
  get first(): Readonly<Chunk> | undefined {
    return this.#chunks[0]
  }

  /**
   * Adds a line. An empty text is not added, because no write of a byte would ever remove it.
   *
   * @param line - A text that ends with a newline.
   * @returns True if there was memory for the line.
   */
  add(line: string): boolean {
    if (line === '') return true
    const needed = line.length * most
    const last = this.#chunks[this.#chunks.length - 1]
    if (last !== undefined && last.bytes.length - last.to >= needed) {
      const written = last.bytes.write(line, last.to)
      last.to += written
      this.#bytes += written
      return true
    }
    const isLong = needed > chunkBytes
    const size = isLong ? Buffer.byteLength(line) : chunkBytes
    if (this.#held + size > this.#limit) return false
    const bytes = isLong ? Buffer.from(line) : (this.#spare ?? Buffer.allocUnsafeSlow(chunkBytes))
    if (bytes === this.#spare) this.#spare = undefined
    this.#held += size
    const to = isLong ? size : bytes.write(line)
    this.#bytes += to
    this.#chunks.push({ bytes, from: 0, to })
    return true
  }

  /**
   * Returns the number of bytes to write next from the first chunk: whole lines of at most `largest` bytes together, or
   * one line if it is longer.
   */
  nextBytes(largest: number): number {
    const { bytes, from, to } = this.#chunks[0] as Chunk
    if (to - from <= largest) return to - from
    const last = bytes.lastIndexOf(newline, from + largest - 1)
    const end = last >= from ? last : bytes.indexOf(newline, from)
    // Text from other code that writes to stdout may have no newline.
    return end >= from && end < to ? end + 1 - from : to - from
  }

  /** True if the next byte is within a line whose beginning was already written. */
  get isWithinLine(): boolean {
    const first = this.#chunks[0]
    return first !== undefined && first.from > 0 && first.bytes[first.from - 1] !== newline
  }

  /** Returns the number of lines that end within the next `count` bytes. */
  linesIn(count: number): number {
    const { bytes, from } = this.#chunks[0] as Chunk
    let lines = 0
    for (let at = bytes.indexOf(newline, from); at !== -1 && at < from + count; at = bytes.indexOf(newline, at + 1))
      lines++
    return lines
  }

  /** Removes the next `count` bytes of the first chunk. The memory of the chunk may then be reused. */
  remove(count: number): void {
    const bytes = this.leave(count)
    if (bytes?.length === chunkBytes) this.#spare = bytes
  }

  /**
   * Removes the next `count` bytes of the first chunk, which a thread may still read.
   *
   * @returns The memory of the chunk if the whole chunk is removed; otherwise undefined.
   */
  leave(count: number): Buffer | undefined {
    const first = this.#chunks[0] as Chunk
    first.from += count
    this.#bytes -= count
    if (first.from < first.to) return undefined
    this.#chunks.shift()
    this.#held -= first.bytes.length
    return first.bytes
  }
}
