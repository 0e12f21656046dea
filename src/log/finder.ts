/** The number of characters at the end of a text that are compared first. */
const block = 3
const tableBits = 15

/**
 * Finds texts in a line by the algorithm of Wu and Manber ("A fast algorithm for multi-pattern searching", 1994): at
 * each step it reads one block of characters, and skips the positions at which no text can end. So a line without any
 * of the texts costs only a fraction of its length.
 */
export class Finder {
  readonly #shifts: Uint8Array
  readonly #ends: ReadonlyMap<number, readonly string[]>
  /**
   * The length of the shortest text. The search compares only this number of characters from the beginning of each
   * text.
   */
  readonly #window: number

  /** @param texts - The texts to find. Each has at least `block` characters. */
  constructor(texts: readonly string[]) {
    this.#window = Math.min(255, ...texts.map(({ length }) => length))
    this.#shifts = new Uint8Array(1 << tableBits).fill(this.#window - block + 1)
    const ends = new Map<number, string[]>()
    // The longest texts come first, because a text may be the beginning of another text.
    for (const text of texts.toSorted((a, b) => b.length - a.length)) {
      for (let end = block; end <= this.#window; end++) {
        const hash = hashAt(text, end)
        this.#shifts[hash] = Math.min(this.#shifts[hash] as number, this.#window - end)
      }
      const last = hashAt(text, this.#window)
      const same = ends.get(last)
      if (same === undefined) ends.set(last, [text])
      else same.push(text)
    }
    this.#ends = ends
  }

  /** Returns the line with each text replaced, or the same line if it contains no text. */
  replace(line: string, by: string): string {
    let result = ''
    let copied = 0
    for (let end = this.#window; end <= line.length;) {
      const hash = hashAt(line, end)
      const shift = this.#shifts[hash] as number
      if (shift > 0) {
        end += shift
        continue
      }
      const start = end - this.#window
      const found = start < copied ? undefined : this.#ends.get(hash)?.find(text => line.startsWith(text, start))
      if (found === undefined) {
        end++
        continue
      }
      result += line.slice(copied, start) + by
      copied = start + found.length
      end = copied + this.#window
    }
    return copied === 0 ? line : result + line.slice(copied)
  }
}

/** Returns a hash of the `block` characters before `end`. */
function hashAt(text: string, end: number): number {
  return (
    ((text.charCodeAt(end - 3) << 10) ^ (text.charCodeAt(end - 2) << 5) ^ text.charCodeAt(end - 1)) &
    ((1 << tableBits) - 1)
  )
}
