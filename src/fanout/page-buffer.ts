interface EarlyPage {
  readonly value: unknown
  readonly isStale: boolean
}

/** The pages of one `pages`, which may arrive in any order. */
export class PageBuffer {
  /** The pages that have arrived, in order and without a gap. */
  readonly pages: unknown[] = []
  /** True if one of `pages` is a stale answer. */
  isStale = false
  /** The index of the first page that is lost or does not exist. Later pages are not used. */
  end = Infinity
  /** The pages behind a gap, by index. */
  readonly #early = new Map<number, EarlyPage>()

  /** Ends the pages before an index. */
  endAt(index: number): void {
    if (index < this.end) this.end = index
  }

  add(index: number, value: unknown, isStale: boolean): void {
    if (value === null) this.endAt(index)
    this.#early.set(index, { value, isStale })
    this.#takeEarly()
  }

  /** True if every page before the end has arrived. */
  get isWhole(): boolean {
    return this.pages.length === this.end
  }

  /** True if the pages end with an answer of `null`. */
  get endsWithNull(): boolean {
    return this.#early.has(this.end)
  }

  /** The number of answers without those behind the end. An answer of `null`, which is the end, is one of them. */
  get answers(): number {
    let count = this.pages.length
    for (const index of this.#early.keys()) if (index <= this.end) count++
    return count
  }

  /** Drops the pages, which may be large. */
  clear(): void {
    this.pages.length = 0
    this.#early.clear()
  }

  #takeEarly(): void {
    while (this.pages.length < this.end) {
      const at = this.pages.length
      const page = this.#early.get(at)
      if (page === undefined) return
      this.#early.delete(at)
      this.isStale ||= page.isStale
      this.pages.push(page.value)
    }
  }
}
