import { createHash } from 'node:crypto'
import { Problem } from '../errors.ts'
import { chunkItems, numbered } from './names.ts'
import type { BulkStore } from './object-store.ts'

/** The limits of the inputs of one run. */
export interface UploadLimits {
  readonly maxItems: number
  /** The size of all inputs, in bytes. */
  readonly maxBytes: number
}

/** The longest line of an input, in bytes. */
export const maxLineBytes = 65_536

/** The number of chunks that are written at the same time. */
const writesAtOnce = 4

const newLine = Buffer.from('\n')
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** Stores lines of JSON as chunks, without holding all of them in memory. The lines are not parsed. */
export class Upload {
  readonly name: string
  /** The number of items so far. */
  items = 0
  readonly #store: BulkStore
  readonly #limits: UploadLimits
  readonly #digest = createHash('sha256')
  #bytes = 0
  #lines = 0
  #rest: Buffer = Buffer.alloc(0)
  #chunk: Buffer[] = []
  readonly #writes = new Set<Promise<boolean>>()

  constructor(store: BulkStore, name: string, limits: UploadLimits) {
    this.#store = store
    this.name = name
    this.#limits = limits
  }

  /** Adds bytes. Resolves when further bytes may be added. */
  async add(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.length
    if (this.#bytes > this.#limits.maxBytes)
      throw tooLarge(`The inputs have more than ${this.#limits.maxBytes} bytes: send them as several runs.`)
    let start = 0
    for (let end = bytes.indexOf(newLine); end !== -1; end = bytes.indexOf(newLine, start)) {
      const line = bytes.subarray(start, end)
      const whole = this.#rest.length === 0 ? line : Buffer.concat([this.#rest, line])
      this.#rest = Buffer.alloc(0)
      await this.#addLine(whole)
      start = end + 1
    }
    // The buffer of a connection can be used again, so the rest is copied.
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(start)])
    this.#checkLength(this.#rest, this.#lines + 1)
  }

  /** Adds the last line and waits for all writes. Returns the digest of the lines. */
  async finish(): Promise<string> {
    if (this.#rest.length > 0) await this.#addLine(this.#rest)
    if (this.#chunk.length > 0) await this.#write()
    await Promise.all(this.#writes)
    if (this.items === 0)
      throw new Problem('INPUT_INVALID', {
        detail: 'The body has no inputs: send one JSON object per line.',
        faults: [{ pointer: '/body', reason: 'must have at least one line' }],
      })
    return this.#digest.digest('hex')
  }

  /** Waits for the writes, and removes the chunks. */
  async remove(): Promise<void> {
    await Promise.allSettled(this.#writes)
    await this.#store.remove(`uploads/${this.name}`)
  }

  async #addLine(line: Buffer): Promise<void> {
    this.#lines++
    this.#checkLength(line, this.#lines)
    const own = this.#lines === 1 && line.indexOf(byteOrderMark) === 0 ? line.subarray(byteOrderMark.length) : line
    if (isBlank(own)) return
    if (++this.items > this.#limits.maxItems)
      throw tooLarge(`The body has more than ${this.#limits.maxItems} inputs: send them as several runs.`)
    this.#digest.update(own).update(newLine)
    this.#chunk.push(own, newLine)
    if (this.items % chunkItems === 0) await this.#write()
  }

  async #write(): Promise<void> {
    const name = `uploads/${this.name}/${numbered(Math.ceil(this.items / chunkItems))}`
    const body = Buffer.concat(this.#chunk)
    this.#chunk = []
    if (this.#writes.size >= writesAtOnce) await Promise.race(this.#writes)
    const write = this.#store.create(name, body)
    this.#writes.add(write)
    // A write that fails stays in the set, and fails the next wait.
    write.then(
      () => this.#writes.delete(write),
      () => {},
    )
  }

  #checkLength(line: Buffer, number: number): void {
    if (line.length > maxLineBytes) throw tooLarge(`Line ${number} has more than ${maxLineBytes} bytes.`)
  }
}

function tooLarge(detail: string): Problem {
  return new Problem('PAYLOAD_TOO_LARGE', { detail })
}

/** Returns true for a line of white space, such as the end of a file with CRLF. */
function isBlank(line: Buffer): boolean {
  return line.every(byte => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
