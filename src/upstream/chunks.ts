/**
 * A body that came in several parts. Where its head told its length they are put into one buffer as they come: each then dies young, and
 * nothing is copied again at the end.
 */
export class Chunks {
  #room: Buffer | undefined
  readonly #list: Buffer[] = []
  #bytes = 0

  /** `told` is the length that the head gave, in bytes; 0 where it gave none. */
  constructor (first: Buffer, told: number) {
    if (told > first.length) this.#room = Buffer.allocUnsafeSlow(told)
    this.add(first)
  }

  add (chunk: Buffer): void {
    if (this.#room !== undefined && this.#bytes + chunk.length <= this.#room.length) {
      chunk.copy(this.#room, this.#bytes)
    } else {
      // Longer than it told: kept as it is, for whoever reads it to refuse.
      if (this.#room !== undefined) this.#list.push(this.whole())
      this.#room = undefined
      this.#list.push(chunk)
    }
    this.#bytes += chunk.length
  }

  whole (): Buffer {
    return this.#room?.subarray(0, this.#bytes) ?? Buffer.concat(this.#list, this.#bytes)
  }
}
