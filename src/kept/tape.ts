import type { OperationSpec } from '../upstream/spec/spec.ts'
import { unpacked } from './packed-values.ts'

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

/**
 * The limits of one run. Above them its calls and entries are only counted. A call that is stored has its end, and so
 * has an attempt; waits and further attempts give way first.
 */
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
  /** The calls without room, or above their limit. Nothing of them is stored. */
  omittedCalls = 0
  /** The attempts, waits and refusals without room, of calls that are stored. */
  omittedEntries = 0
  /** The entries that must find room later: the ends of calls and attempts, and the starts and ends of steps. */
  #reserved = 0
  /** The calls and the attempts that are not stored, so that their later entries are not either. */
  readonly #omitted = new Set<string>()

  /** Reserves room for the starts and the ends of steps. */
  reserve(steps: number): void {
    this.#reserved += 2 * steps
  }

  /** Adds an entry, if it has room beside the reserved entries. The start of an attempt needs room for its end too. */
  add(kind: Entry, step: number, call: number, at: number, value: number): void {
    if (this.#omitted.size > 0 && this.#isOmitted(kind, step, call, value)) return
    const isStart = kind === Entry.attemptStarted
    if (isReserved(kind) && this.#reserved > 0) this.#reserved--
    else if (!this.#hasRoom(isStart ? 2 : 1)) {
      this.omittedEntries++
      if (isStart) this.#omitted.add(keyOfAttempt(step, call, value))
      return
    }
    if (isStart) this.#reserved++
    this.#push(kind, step, call, at, value)
  }

  /** Adds a call that is sent, if it has room for its start and its end. */
  addCall(spec: OperationSpec, path: string, step: number, call: number, at: number): void {
    if (this.specs.length === mostCalls || !this.#hasRoom(2)) {
      this.omittedCalls++
      this.#omitted.add(keyOfCall(step, call))
      return
    }
    this.#reserved++
    this.#push(Entry.sent, step, call, at, this.specs.length)
    this.specs.push(spec)
    this.paths.push(path)
  }

  /** Removes everything, so that the next run finds an empty tape, and no text is retained. */
  clear(): void {
    this.length = 0
    this.specs.length = this.paths.length = 0
    this.omittedCalls = this.omittedEntries = this.#reserved = 0
    this.#omitted.clear()
  }

  #hasRoom(entries: number): boolean {
    return this.length + numbersOfEntry * (this.#reserved + entries) <= mostNumbers
  }

  #isOmitted(kind: Entry, step: number, call: number, value: number): boolean {
    if (kind === Entry.stepStarted || kind === Entry.stepEnded) return false
    if (this.#omitted.has(keyOfCall(step, call))) return true
    return kind === Entry.attemptEnded && this.#omitted.has(keyOfAttempt(step, call, value))
  }

  #push(kind: Entry, step: number, call: number, at: number, value: number): void {
    const from = this.length
    if (from === this.numbers.length) this.#grow()
    const { numbers } = this
    // The step -1 is context().
    numbers[from] = kind + 16 * (step + 1)
    numbers[from + 1] = call
    numbers[from + 2] = at
    numbers[from + 3] = value
    this.length = from + numbersOfEntry
  }

  #grow(): void {
    const grown = new Float64Array(Math.min(mostNumbers, 2 * this.numbers.length))
    grown.set(this.numbers)
    this.numbers = grown
  }
}

/** Returns whether the room of an entry is reserved before it is added. */
function isReserved(kind: Entry): boolean {
  return (
    kind === Entry.callEnded || kind === Entry.attemptEnded || kind === Entry.stepStarted || kind === Entry.stepEnded
  )
}

function keyOfCall(step: number, call: number): string {
  return `${step}.${call}`
}

/** Returns the key of an attempt, from the value of its start or of its end. Both have its number in second place. */
function keyOfAttempt(step: number, call: number, value: number): string {
  return `${step}.${call}.${unpacked(value)[1]}`
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
