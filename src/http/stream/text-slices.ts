/** The characters of one slice. A character takes at most 3 bytes, so a slice has less than 64 KiB. */
const sliceLength = 21_000

/** A long text that is written in parts of less than 64 KiB. A part never ends within a surrogate pair. */
export class TextSlices {
  readonly #text: string
  #start = 0

  constructor(text: string) {
    this.#text = text
  }

  /** True if `next` has returned the whole text. */
  get isEmpty(): boolean {
    return this.#start >= this.#text.length
  }

  /** Returns the next part. */
  next(): string {
    let end = this.#start + sliceLength
    const code = this.#text.charCodeAt(end - 1)
    if (end < this.#text.length && code >= 0xd8_00 && code <= 0xdb_ff) end--
    const part = this.#text.slice(this.#start, end)
    this.#start = end
    return part
  }
}
