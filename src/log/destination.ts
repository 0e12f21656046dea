import { LineBuffer } from './line-buffer.ts'
import { openOutput, type Output } from './output.ts'

/** Memory for lines that wait for a reader or a disk, in bytes. */
export const bufferBytes = 4 * 1024 * 1024
/** The longest time that the process waits for a reader when it exits, in ms. */
export const exitFlushMs = 250
/** The time for which lines are gathered after a write, in ms. */
export const gatherMs = 5

/** Bounds of the pause before another write to a full pipe, in ms. The pause doubles while the pipe accepts nothing. */
const firstPause = 1
const longestPause = 64
/** The pause before another write to a full pipe while the process exits, in ms. */
const exitPause = 5

const newline = Buffer.from('\n')
const sleeper = new Int32Array(new SharedArrayBuffer(4))

export interface DestinationOptions {
  /** @default 1, stdout */
  readonly fd?: number
  /** @default the output of `fd` */
  readonly output?: Output
  /** Memory for lines that are not written yet, in bytes. @default 4 MiB */
  readonly limit?: number
}

/** Writes lines of the log, as a stream for pino. No method throws. Only `flushWithin` blocks. */
export class Destination {
  readonly #output: Output
  readonly #limit: number
  readonly #buffer: LineBuffer
  readonly #run = () => {
    this.#isScheduled = false
    this.#writeAll()
  }
  readonly #settle = (error: NodeJS.ErrnoException | null, bytes: number) => {
    this.#settled(error, bytes)
  }
  /** True if `#run` is scheduled. */
  #isScheduled = false
  /** The bytes that this round still writes: those that were in the buffer at its start. */
  #due = 0
  /** Bytes of the write in progress; 0 while nothing is written. */
  #writing = 0
  /** The start time of the write in progress. It is read only if a write of the output can block. */
  #since = 0
  /** True if the write in progress is the newline that ends an incomplete line. */
  #isMending = false
  /**
   * True if only the beginning of a line was written and its rest is lost. A newline must then be written before the
   * next line.
   */
  #isTorn = false
  #isLooping = false
  /** True if no more lines can be written. */
  #isClosed = false
  #pause = firstPause
  #lost = 0
  #reported = 0

  /** Called when lines can be written again, with the number of lines that were lost since the last call. */
  onRecovered: ((lost: number) => void) | undefined

  constructor({ fd = 1, output = openOutput(fd), limit = bufferBytes }: DestinationOptions = {}) {
    this.#output = output
    this.#limit = limit
    this.#buffer = new LineBuffer(limit)
  }

  /** The number of lost lines. A line is lost if there is no memory for it or its write fails. */
  get lost(): number {
    return this.#lost
  }

  /**
   * Writes a line, which ends with a newline. The first line is written at once. The lines of the next `gatherMs` are
   * written together, because under load each write costs as much as its lines.
   */
  write(line: string): void {
    if (this.#isClosed || !this.#buffer.add(line)) {
      this.#lost++
      return
    }
    // A scheduled round or the round in progress leads to a write of this line.
    if (!this.#isScheduled && !this.#isLooping && this.#writing === 0) this.#writeAll()
  }

  /** Writes as many lines as the output accepts now. pino calls this after a line of level `fatal`. */
  flushSync(): void {
    if (this.#writing === 0) this.#writeNow(0)
  }

  /**
   * Writes the remaining lines when the process exits.
   *
   * @param ms - The longest time to wait for a reader, in ms. A write in a thread that takes longer counts as stuck.
   * @returns True if no thread is stuck in a write, so that the process may wait for its threads.
   */
  flushWithin(ms: number): boolean {
    if (this.#writing > 0 && this.#output.mayBlock && performance.now() - this.#since >= ms) return false
    // A thread completes the write in progress.
    if (this.#writing > 0 && !this.#isMending) this.#buffer.leave(this.#writing)
    this.#writing = 0
    this.#writeNow(ms)
    return true
  }

  #writeNow(ms: number): void {
    const until = performance.now() + ms
    while (this.#buffer.first !== undefined) {
      const { bytes, from } = this.#buffer.first
      const next = this.#buffer.nextBytes(this.#output.largest)
      try {
        if (this.#isTorn) this.#isTorn = this.#output.writeNow(newline, 0, 1) === 0
        this.#remove(this.#output.writeNow(bytes, from, next))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN') this.#lose(next, code)
        else if (performance.now() < until) Atomics.wait(sleeper, 0, 0, exitPause)
        else return
      }
    }
  }

  /** Starts a round: writes the lines that are in the buffer now. */
  #writeAll(): void {
    this.#due = this.#buffer.bytes
    if (this.#due > 0) this.#writeOn()
  }

  /** Writes the rest of a round as far as the output takes it at once, and ends the round. */
  #writeOn(): void {
    this.#isLooping = true
    while (this.#writing === 0 && this.#due > 0) {
      const { bytes, from } = this.#buffer.first as { readonly bytes: Buffer; readonly from: number }
      this.#isMending = this.#isTorn
      if (this.#output.mayBlock) this.#since = performance.now()
      this.#writing = this.#isTorn ? 1 : this.#buffer.nextBytes(this.#output.largest)
      if (this.#isTorn) this.#output.write(newline, 0, 1, this.#settle)
      else this.#output.write(bytes, from, this.#writing, this.#settle)
    }
    this.#isLooping = false
    if (this.#writing > 0 || this.#isScheduled) return
    this.#isScheduled = true
    setTimeout(this.#run, gatherMs)
  }

  #settled(error: NodeJS.ErrnoException | null, taken: number): void {
    const asked = this.#writing
    // `flushWithin` has left this write to its thread.
    if (asked === 0) return
    this.#writing = 0
    if (error === null) {
      this.#pause = firstPause
      if (this.#isMending) this.#isTorn = false
      else this.#remove(taken)
      this.#tell()
    } else if (error.code === 'EAGAIN') {
      this.#due = 0
      this.#isScheduled = true
      setTimeout(this.#run, this.#pause).unref()
      this.#pause = Math.min(longestPause, 2 * this.#pause)
    } else {
      this.#lose(this.#isMending ? this.#buffer.nextBytes(this.#output.largest) : asked, error.code)
    }
    if (!this.#isLooping) this.#writeOn()
  }

  /** Drops the next `count` bytes, which end at the end of a line. */
  #lose(count: number, code: string | undefined): void {
    this.#isTorn ||= this.#buffer.isWithinLine
    this.#lost += this.#buffer.linesIn(count)
    this.#remove(count)
    if (code !== 'EBADF') return
    // The system may reuse the number of a closed descriptor for a connection, so nothing is written to it again.
    this.#isClosed = true
    for (let { first } = this.#buffer; first !== undefined; { first } = this.#buffer) {
      this.#lost += this.#buffer.linesIn(first.to - first.from)
      this.#remove(first.to - first.from)
    }
  }

  /** Removes the next `count` bytes, which were written or are lost. */
  #remove(count: number): void {
    this.#buffer.remove(count)
    this.#due -= count
  }

  #tell(): void {
    const lost = this.#lost - this.#reported
    if (lost === 0 || this.#buffer.held > this.#limit / 2) return
    this.#reported = this.#lost
    this.onRecovered?.(lost)
  }
}
