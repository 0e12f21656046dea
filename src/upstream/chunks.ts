/** A length is taken at its word once so much of it has come, by this factor: else a few bytes could have megabytes put aside for them. */
const credit = 8

/**
 * A body that came in several parts. Where its head told its length they are put into one buffer as they come: each then dies young, and
 * nothing is copied again at the end.
 */
export class Chunks {
  #told: number
  #room: Buffer | undefined
  #list: Buffer[] = []
  #bytes = 0

  /** `told` is the length that the head gave, in bytes; 0 where it gave none. */
  constructor (first: Buffer, told: number) {
    this.#told = told
    this.add(first)
  }

  add (chunk: Buffer): void {
    const before = this.#bytes
    this.#bytes += chunk.length
    if (this.#room === undefined) {
      this.#list.push(chunk)
      if (this.#told >= this.#bytes && this.#told <= credit * this.#bytes) this.#makeRoom()
    } else if (this.#bytes <= this.#room.length) {
      chunk.copy(this.#room, before)
    } else {
      // Longer than it told: kept as it is, for whoever reads it to refuse.
      this.#list = [this.#room.subarray(0, before), chunk]
      this.#room = undefined
      this.#told = 0
    }
  }

  whole (): Buffer {
    return this.#room?.subarray(0, this.#bytes) ?? Buffer.concat(this.#list, this.#bytes)
  }

  #makeRoom (): void {
    this.#room = Buffer.allocUnsafeSlow(this.#told)
    let at = 0
    for (const chunk of this.#list) at += chunk.copy(this.#room, at)
    this.#list = []
  }
}
