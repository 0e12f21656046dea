import { LineBuffer } from './line-buffer.ts'
import { openOutput, type Output } from './output.ts'

/** Memory for lines that wait for a reader or a disk, in bytes. */
export const bufferBytes = 4 * 1024 * 1024
/** Longest time that the process waits for a reader when it exits, in ms. */
export const exitFlushMs = 250

/** Bounds of the pause before a full pipe is tried again, in ms; it doubles while nothing is taken. */
const firstPause = 1
const longestPause = 64
/** Pause before a full pipe is tried again while the process exits, in ms. */
const exitPause = 5

const newline = Buffer.from('\n')
const sleeper = new Int32Array(new SharedArrayBuffer(4))

export interface DestinationOptions {
  /** @default 1, stdout */
  readonly fd?: number
  /** @default that of `fd` */
  readonly output?: Output
  /** Memory for lines that wait, in bytes. @default 4 MiB */
  readonly limit?: number
}

/** Writes lines of the log; a stream for pino. No method throws, and none but `flushWithin` waits. */
export class Destination {
  readonly #output: Output
  readonly #limit: number
  readonly #buffer: LineBuffer
  readonly #run = () => {
    this.#isScheduled = false
    this.#writeOn()
  }
  readonly #settle = (error: NodeJS.ErrnoException | null, bytes: number) => {
    this.#settled(error, bytes)
  }
  /** `#run` is due. */
  #isScheduled = false
  /** Bytes of the write under way. */
  #writing = 0
  /** The start of the write in progress. Read only where the write can be stuck. */
  #since = 0
  /** The write under way is the newline that ends a torn line. */
  #isMending = false
  /** The beginning of a line was written and its rest is lost, so the next line must not continue it. */
  #isTorn = false
  #isLooping = false
  /** Nothing is written any more. */
  #isClosed = false
  #pause = firstPause
  #lost = 0
  #reported = 0

  /** Is called with the number of lines that were lost since the last call, when lines can be written again. */
  onRecovered: ((lost: number) => void) | undefined

  constructor({ fd = 1, output = openOutput(fd), limit = bufferBytes }: DestinationOptions = {}) {
    this.#output = output
    this.#limit = limit
    this.#buffer = new LineBuffer(limit)
  }

  /** The lines that were lost: there was no room for them, or writing them failed. */
  get lost(): number {
    return this.#lost
  }

  /**
   * Takes a line, which ends with a newline. The first one of a turn of the event loop is written at once, so that it
   * comes before what other processes log because of it; the others are written together after the turn.
   */
  write(line: string): void {
    if (this.#isClosed || !this.#buffer.add(line)) {
      this.#lost++
      return
    }
    if (this.#isScheduled || this.#isLooping || this.#writing > 0) return
    this.#writeOn()
    // A thread that writes, or a full pipe, calls for the next write itself.
    if (this.#isScheduled || this.#writing > 0) return
    this.#isScheduled = true
    setImmediate(this.#run)
  }

  /** Writes what can be written at once; pino calls this after a line of level `fatal`. */
  flushSync(): void {
    if (this.#writing === 0) this.#writeNow(0)
  }

  /**
   * Writes what waits, for a process that exits.
   *
   * @param ms - How long it may wait for a reader, and after which a write in a thread counts as stuck, in ms.
   * @returns Whether the process may wait for its threads: none of them is stuck in a write.
   */
  flushWithin(ms: number): boolean {
    if (this.#writing > 0 && this.#output.mayBlock && performance.now() - this.#since >= ms) return false
    // A thread completes the write under way.
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
        this.#buffer.remove(this.#output.writeNow(bytes, from, next))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code !== 'EAGAIN') this.#lose(next, code)
        else if (performance.now() < until) Atomics.wait(sleeper, 0, 0, exitPause)
        else return
      }
    }
  }

  #writeOn(): void {
    this.#isLooping = true
    while (this.#writing === 0 && !this.#isScheduled && this.#buffer.first !== undefined) {
      const { bytes, from } = this.#buffer.first
      this.#isMending = this.#isTorn
      if (this.#output.mayBlock) this.#since = performance.now()
      this.#writing = this.#isTorn ? 1 : this.#buffer.nextBytes(this.#output.largest)
      if (this.#isTorn) this.#output.write(newline, 0, 1, this.#settle)
      else this.#output.write(bytes, from, this.#writing, this.#settle)
    }
    this.#isLooping = false
  }

  #settled(error: NodeJS.ErrnoException | null, taken: number): void {
    const asked = this.#writing
    // It was left to its thread by `flushWithin`.
    if (asked === 0) return
    this.#writing = 0
    if (error === null) {
      this.#pause = firstPause
      if (this.#isMending) this.#isTorn = false
      else this.#buffer.remove(taken)
      this.#tell()
    } else if (error.code === 'EAGAIN') {
      this.#isScheduled = true
      setTimeout(this.#run, this.#pause).unref()
      this.#pause = Math.min(longestPause, 2 * this.#pause)
    } else {
      this.#lose(this.#isMending ? this.#buffer.nextBytes(this.#output.largest) : asked, error.code)
    }
    if (!this.#isLooping) this.#writeOn()
  }

  /** Gives up the next `count` bytes, which end with a line. */
  #lose(count: number, code: string | undefined): void {
    this.#isTorn ||= this.#buffer.isWithinLine
    this.#lost += this.#buffer.linesIn(count)
    this.#buffer.remove(count)
    if (code !== 'EBADF') return
    // The number of a closed descriptor may be given to a connection, so nothing is written to it again.
    this.#isClosed = true
    for (let { first } = this.#buffer; first !== undefined; { first } = this.#buffer) {
      this.#lost += this.#buffer.linesIn(first.to - first.from)
      this.#buffer.remove(first.to - first.from)
    }
  }

  #tell(): void {
    const lost = this.#lost - this.#reported
    if (lost === 0 || this.#buffer.held > this.#limit / 2) return
    this.#reported = this.#lost
    this.onRecovered?.(lost)
  }
}
