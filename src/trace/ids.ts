import { randomFillSync } from 'node:crypto'

/** The number of random bytes that are drawn at a time. */
const poolBytes = 4096

/**
 * Creates random ids of traces and spans, which are never all 0. It draws the bytes for many ids at once, because a
 * draw costs more than an id.
 */
export class IdSource {
  readonly #fill: (pool: Buffer) => unknown
  readonly #pool = Buffer.allocUnsafeSlow(poolBytes)
  #at = poolBytes

  /** @param fill - Fills a buffer with random bytes. */
  constructor(fill: (pool: Buffer) => unknown = randomFillSync) {
    this.#fill = fill
  }

  traceId(): string {
    return this.#take(16)
  }

  spanId(): string {
    return this.#take(8)
  }

  #take(bytes: number): string {
    for (;;) {
      if (this.#at + bytes > poolBytes) {
        this.#fill(this.#pool)
        this.#at = 0
      }
      const start = this.#at
      this.#at += bytes
      const id = this.#pool.toString('hex', start, this.#at)
      if (!isZero(id)) return id
    }
  }
}

function isZero(id: string): boolean {
  return id === '0000000000000000' || id === '00000000000000000000000000000000'
}

/** The ids of this process. */
export const ids = new IdSource()
