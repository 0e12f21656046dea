import type { OperationSpec } from '../upstream/spec/spec.ts'

/** The kinds of the entries of a tape. */
export const Entry = {
  /** A call was sent; the value is its index in `specs` and `paths`. */
  sent: 0,
  stepStarted: 1,
  /** The value has the state and the code. */
  stepEnded: 2,
  /** The value has the number and the kind of the attempt. */
  attemptStarted: 3,
  /** The value has the number of the attempt, its status and its code. */
  attemptEnded: 4,
  /** The value is the length of the wait, in ms; so are the values of the other waits. */
  waitedForPermit: 5,
  waitedForToken: 6,
  waitedForRetry: 7,
  joined: 8,
  joinedKeys: 9,
  /** The value has the kind of the attempt and the reason. */
  refused: 10,
  /** The value has the status, the code and the use of the cache. */
  callEnded: 11,
} as const

export type Entry = (typeof Entry)[keyof typeof Entry]

/** The numbers of one entry: its kind and step, its call, its time and its value. */
export const numbersOfEntry = 4

/** The limits of one run. Above them its calls and entries are only counted. */
export const mostCalls = 500
export const mostNumbers = 10_000

/** The numbers of a new tape. */
const firstNumbers = 256

/** A tape with more numbers is not used again. */
const largestPooled = 2048

/** The number of unused tapes that are kept. */
const mostPooled = 256

/**
 * The recording of one run in flight: numbers in one array, so that no event needs an object. The operations and the
 * paths of its calls are kept until the end of the run.
 */
export class Tape {
  numbers = new Float64Array(firstNumbers)
  length = 0
  readonly specs: OperationSpec[] = []
  readonly paths: string[] = []
  /** The calls that were sent above the limit. */
  omittedCalls = 0

  /** Adds an entry, unless the tape is full. */
  add(kind: Entry, step: number, call: number, at: number, value: number): void {
    const from = this.length
    if (from === this.numbers.length && !this.#grow()) return
    const { numbers } = this
    // The step -1 is context().
    numbers[from] = kind + 16 * (step + 1)
    numbers[from + 1] = call
    numbers[from + 2] = at
    numbers[from + 3] = value
    this.length = from + numbersOfEntry
  }

  /** Adds a call that is sent. */
  addCall(spec: OperationSpec, path: string, step: number, call: number, at: number): void {
    if (this.specs.length === mostCalls) return void this.omittedCalls++
    this.add(Entry.sent, step, call, at, this.specs.length)
    this.specs.push(spec)
    this.paths.push(path)
  }

  /** Removes everything, so that the next run finds an empty tape, and no text is retained. */
  clear(): void {
    this.length = 0
    this.specs.length = this.paths.length = 0
    this.omittedCalls = 0
  }

  #grow(): boolean {
    if (this.length >= mostNumbers) return false
    const grown = new Float64Array(Math.min(mostNumbers, 2 * this.numbers.length))
    grown.set(this.numbers)
    this.numbers = grown
    return true
  }
}

/** Tapes that no run uses. */
export class TapePool {
  readonly #free: Tape[] = []

  take(): Tape {
    return this.#free.pop() ?? new Tape()
  }

  /** Takes a tape back. Its content is removed. */
  give(tape: Tape): void {
    tape.clear()
    if (tape.numbers.length <= largestPooled && this.#free.length < mostPooled) this.#free.push(tape)
  }
}
